#!/usr/bin/env python3
"""Writes vectors.jsonl: what a provider reports, what the model costs, and what must come out.

    python3 test/cost-vectors/generate.py > test/cost-vectors/vectors.jsonl

Nothing here is shared with the gateway: figures are fractions made from decimal text, classes are split by the rules
below, and every vector of HAND was worked out on paper first (the arithmetic stands in its note). The program refuses to
write when its own result differs from the one on paper.

Rules
  chat        prompt contains cached, written, audio and image tokens; completion contains reasoning and audio tokens.
              Parts never sum to more than their whole: what is cached comes first, then written, audio, image, text;
              reasoning comes before audio and text. Reasoning stands beside the completion when the total says so, or
              when it is larger than the completion and no total contradicts that.
  messages    input classes are disjoint; output contains thinking; figures of a later event replace earlier ones.
  price       the highest threshold that the input exceeds picks the tier for the whole request; a service tier replaces
              the figures that have one of their own. A missing class costs what its parent costs. Above a threshold, a
              service tier without a figure for that threshold costs the dearer of the two.
  ranges      (`tiered_pricing`) the range with from < input <= to prices the whole request, the last one what is above all.
              A range says all its prices; only audio and images, and the output with its reasoning where a range has no
              output price, are taken from beside the list.
  hours       (`off_peak_pricing`) see of_hour; `at` is the time of admission.
  rounding    up to whole nano-dollars, once, over the whole request; then a discount rounded down and a margin rounded up.
"""
import json
import re
import sys
from fractions import Fraction
from math import ceil, floor

CLASSES = ["input", "cacheRead", "cacheWrite", "cacheWriteLong", "inputAudio", "inputImage", "output", "reasoning", "outputAudio"]
PARENT = {"cacheRead": "input", "cacheWrite": "input", "cacheWriteLong": "cacheWrite", "inputAudio": "input",
          "inputImage": "input", "reasoning": "output", "outputAudio": "output"}
KEYS = {
    "input": "input_cost_per_token", "output": "output_cost_per_token", "cacheRead": "cache_read_input_token_cost",
    "cacheWrite": "cache_creation_input_token_cost", "cacheWriteLong": "cache_creation_input_token_cost_above_1hr",
    "inputAudio": "input_cost_per_audio_token", "inputImage": "input_cost_per_image_token",
    "reasoning": "output_cost_per_reasoning_token", "outputAudio": "output_cost_per_audio_token",
}
NAME = {"input": "inputTokens", "cacheRead": "cacheReadTokens", "cacheWrite": "cacheWriteTokens",
        "cacheWriteLong": "cacheWriteLongTokens", "inputAudio": "inputAudioTokens", "inputImage": "inputImageTokens",
        "output": "outputTokens", "reasoning": "reasoningTokens", "outputAudio": "outputAudioTokens"}
INPUTS = CLASSES[:6]


class Literal(float):
    """A number that is written into the JSON exactly as its decimal text."""

    def __new__(cls, text):
        made = super().__new__(cls, float(text))
        made.text = text
        return made

    def __repr__(self):
        return self.text


def dollars_per_token(text):
    """'3' dollars a million tokens as plain text of dollars a token: '3e-6'."""
    return f"{text}e-6"


def prices(input, output, **more):
    """Dollars per million tokens. Names: a class, with `_above_200k`, `_flex`, `_priority`, `_batches` behind it."""
    made = {}
    for name, text in {"input": input, "output": output, **more}.items():
        kind, suffix = re.fullmatch(r"([a-zA-Z]+?)((?:_above_\d+k)?(?:_(?:flex|priority|batches))?)", name).groups()
        suffix = re.sub(r"(_above_\d+k)", r"\1_tokens", suffix)
        made[KEYS[kind] + suffix] = Literal(dollars_per_token(text))
    return made


def figure(table, kind, suffix):
    text = table.get(KEYS[kind] + suffix)
    return None if text is None else Fraction(text.text)


def rate(table, kind, above, service):
    """Dollars a token; None where neither this class nor a more general figure of it is written."""
    tier = f"_above_{above // 1000}k_tokens" if above else ""
    serviced = f"_{service}" if service else ""
    plain = figure(table, kind, "")
    by_tier = figure(table, kind, tier) if tier else None
    by_service = figure(table, kind, serviced) if serviced else None
    if tier and serviced:
        both = figure(table, kind, tier + serviced)
        if both is not None:
            return both
        known = [x for x in (by_tier if by_tier is not None else plain, by_service if by_service is not None else plain) if x is not None]
        return max(known) if known else None
    for found in (by_tier, by_service):
        if found is not None:
            return found
    return plain


def resolved(table, kind, above, service):
    found = rate(table, kind, above, service)
    while found is None:
        kind = PARENT[kind]
        found = rate(table, kind, above, service)
    return found


def listed(usage, table, extra):
    provider = usage.get("providerCost")
    if provider:
        return provider
    total = sum(usage.get(NAME[kind], 0) for kind in INPUTS)
    if "tiered_pricing" in table:
        table = of_range(table, total)
    if "off_peak_pricing" in table:
        table = of_hour(table, extra["at"])
    thresholds = sorted({int(match.group(1)) * 1000 for key in table for match in [re.search(r"_above_(\d+)k_tokens", key)] if match})
    above = max((limit for limit in thresholds if total > limit), default=None)
    service = usage.get("serviceTier")
    if service == "batch":
        service = "batches"
    if service is not None and not any(key.endswith(f"_{service}") for key in table):
        service = None
    cost = sum(usage.get(NAME[kind], 0) * resolved(table, kind, above, service) for kind in CLASSES) * 10**9
    cost += Fraction(extra.get("perRequestNanodollars", 0))
    cost += usage.get("webSearchCalls", 0) * Fraction(str(extra.get("webSearchDollars", 0))) * 10**9
    return ceil(cost)


def of_hour(table, at):
    """In the hours (both ends HH:MM, the end not in it, over midnight where it is earlier) the block's prices replace those of every threshold."""
    block, time = table["off_peak_pricing"], at[11:16]
    spans = block["hours_utc"] if isinstance(block["hours_utc"], list) else [block["hours_utc"]]
    inside = any((one[:5] <= time < one[6:]) if one[:5] < one[6:] else (time >= one[:5] or time < one[6:]) for one in spans)
    if not inside:
        return table
    made = dict(table)
    for key, text in block.items():
        if key == "hours_utc":
            continue
        made[key] = text
        for other in table:
            if re.fullmatch(re.escape(key) + r"_above_\d+k_tokens", other):
                made[other] = text
    return made


def of_range(table, total):
    """The prices of the range with from < total <= to, of the last one above all; of the rest only what no range says."""
    found = next((one for one in table["tiered_pricing"] if total <= one["range"][1]), table["tiered_pricing"][-1])
    made = {key: text for key, text in found.items() if key != "range"}
    kinds = ["inputAudio", "inputImage", "outputAudio"] + ([] if KEYS["output"] in made else ["output", "reasoning"])
    for kind in kinds:
        if KEYS[kind] in table and KEYS[kind] not in made:
            made[KEYS[kind]] = table[KEYS[kind]]
    return made


def charged(cost, discount, margin):
    if cost == 0:
        return 0
    net = cost - floor(cost * Fraction(discount or "0"))
    if margin is None:
        return net
    return net + ceil(net * Fraction(margin.get("ratio", "0"))) + margin.get("fixed", 0)


def whole(value):
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def split_chat(usage, tier):
    inside, outside = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    completion, total = whole(usage.get("completion_tokens")), whole(usage.get("total_tokens"))
    prompt = whole(usage["prompt_tokens"]) if "prompt_tokens" in usage else max(0, total - completion)
    read = whole(inside.get("cached_tokens")) or whole(usage.get("cache_read_input_tokens")) or whole(usage.get("prompt_cache_hit_tokens"))
    written = (whole(inside.get("cache_creation_tokens")) or whole(inside.get("cache_write_tokens"))
               or whole(usage.get("cache_creation_input_tokens")))
    long = min(written, whole((inside.get("cache_creation_token_details") or {}).get("ephemeral_1h_input_tokens")))
    left = max(0, prompt - read - written)
    audio = min(left, whole(inside.get("audio_tokens")))
    image = min(left - audio, whole(inside.get("image_tokens")))
    reasoning = whole(outside.get("reasoning_tokens"))
    beside = reasoning > 0 and (total == prompt + completion + reasoning or (reasoning > completion and total != prompt + completion))
    if not beside:
        reasoning = min(reasoning, completion)
    rest = completion if beside else completion - reasoning
    spoken = min(rest, whole(outside.get("audio_tokens")))
    searches = whole((usage.get("server_tool_use") or {}).get("web_search_requests")) or whole(usage.get("num_search_queries"))
    made = {"inputTokens": left - audio - image, "cacheReadTokens": read, "cacheWriteTokens": written - long,
            "cacheWriteLongTokens": long, "inputAudioTokens": audio, "inputImageTokens": image,
            "outputTokens": rest - spoken, "reasoningTokens": reasoning, "outputAudioTokens": spoken, "webSearchCalls": searches}
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if cost is not None:
        made["providerCost"] = ceil(Fraction(cost.text if isinstance(cost, Literal) else str(cost)) * 10**9)
    return with_tier(made, tier)


def split_messages(events):
    seen, tier = {}, None
    for usage in events:
        usage = usage or {}
        created = usage.get("cache_creation") or {}
        for name, value in (("input", whole(usage.get("input_tokens"))), ("read", whole(usage.get("cache_read_input_tokens"))),
                            ("written", max(whole(usage.get("cache_creation_input_tokens")),
                                            whole(created.get("ephemeral_5m_input_tokens")) + whole(created.get("ephemeral_1h_input_tokens")))),
                            ("long", whole(created.get("ephemeral_1h_input_tokens")))):
            # Running totals never fall; a 0 in a later event only means that it is not repeated there.
            if value > 0:
                seen[name] = value
        if "output_tokens" in usage:
            seen["output"] = whole(usage["output_tokens"])
        if "output_tokens_details" in usage:
            seen["thinking"] = whole(usage["output_tokens_details"].get("thinking_tokens"))
        if "server_tool_use" in usage:
            seen["searches"] = whole(usage["server_tool_use"].get("web_search_requests"))
        tier = usage.get("service_tier") or tier
    output, written = seen.get("output", 0), seen.get("written", 0)
    thinking, long = min(output, seen.get("thinking", 0)), min(written, seen.get("long", 0))
    return with_tier({"inputTokens": seen.get("input", 0), "cacheReadTokens": seen.get("read", 0), "cacheWriteTokens": written - long,
                      "cacheWriteLongTokens": long, "outputTokens": output - thinking, "reasoningTokens": thinking,
                      "webSearchCalls": seen.get("searches", 0)}, tier)


def with_tier(usage, tier):
    if tier in ("flex", "priority", "batch"):
        usage["serviceTier"] = tier
    return {name: value for name, value in usage.items() if value}


VECTORS = []
HAND = []


def vector(note, format, table, usage, hand=None, tier=None, discount=None, margin=None, **extra):
    """`usage` is one object, or for a stream the list of what its events report. `hand` is the charge found on paper."""
    events = usage if isinstance(usage, list) else [usage]
    if format.startswith("messages"):
        classes = split_messages([{**event, **({"service_tier": tier} if tier else {})} if event else event for event in events])
    else:
        classes = split_chat([event for event in events if event][-1], tier)
    cost = listed(classes, table, extra)
    made = {"id": len(VECTORS) + 1, "note": note, "byHand": hand is not None, "format": format, "usage": usage, "prices": table}
    if tier:
        made["serviceTier"] = tier
    made.update(extra)
    if discount:
        made["discount"] = Literal(discount)
    if margin:
        made["margin"] = {**margin, **({"ratio": Literal(margin["ratio"])} if "ratio" in margin else {})}
    made["expected"] = {"usage": classes, "listed": cost, "charged": charged(cost, discount, margin)}
    if hand is not None and hand != made["expected"]["charged"]:
        sys.exit(f"on paper {hand}, by program {made['expected']['charged']}: {note}")
    if made["expected"]["charged"] > 2**53 - 1:
        sys.exit(f"more than one figure can hold: {note}")
    VECTORS.append(made)


def chat(prompt, completion, **more):
    """An OpenAI usage object; `cached`, `written`, `audio`, `image`, `reasoning`, `spoken` go into the details."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    inside = {"cached": "cached_tokens", "written": "cache_creation_tokens", "audio": "audio_tokens", "image": "image_tokens", "text": "text_tokens"}
    outside = {"reasoning": "reasoning_tokens", "spoken": "audio_tokens", "said": "text_tokens"}
    for names, place in ((inside, "prompt_tokens_details"), (outside, "completion_tokens_details")):
        details = {field: more.pop(name) for name, field in names.items() if name in more}
        if details:
            usage[place] = details
    return {**usage, **more}


def messages(input, output, read=0, w5=0, w1=0, **more):
    usage = {"input_tokens": input, "cache_creation_input_tokens": w5 + w1, "cache_read_input_tokens": read, "output_tokens": output}
    if w5 or w1:
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": w5, "ephemeral_1h_input_tokens": w1}
    return {**usage, **more}


def by_hand():
    plain = prices("3", "15", cacheRead="0.3", cacheWrite="3.75")
    claude = prices("3", "15", cacheRead="0.3", cacheWrite="3.75", cacheWriteLong="6")
    tiered = prices("3", "15", cacheRead="0.3", cacheWrite="3.75", input_above_200k="6", output_above_200k="22.5",
                    cacheRead_above_200k="0.6", cacheWrite_above_200k="7.5")
    gpt = prices("2.5", "10", cacheRead="1.25")
    mini = prices("0.15", "0.6", cacheRead="0.075")
    voice = prices("2.5", "10", inputAudio="40", outputAudio="80")
    tiers = prices("1.25", "10", cacheRead="0.125", input_flex="0.625", output_flex="5", cacheRead_flex="0.0625",
                   input_priority="2.5", output_priority="20", cacheRead_priority="0.25", input_batches="0.625", output_batches="5")
    deep = prices("0.28", "0.42", cacheRead="0.028")
    embed = prices("0.02", "0")

    vector("100*3 + 600*0.3 + 300*3.75 + 50*15 = 300+180+1125+750 = 2355 microdollars", "chat", plain,
           chat(1000, 50, cached=600, written=300), hand=2_355_000)
    vector("plain text: 1000*2.5 + 500*10 = 2500+5000 = 7500 microdollars", "chat", gpt, chat(1000, 500), hand=7_500_000)
    vector("half of the prompt cached: 500*2.5 + 500*1.25 + 100*10 = 1250+625+1000 = 2875", "chat", gpt,
           chat(1000, 100, cached=500), hand=2_875_000)
    vector("all of the prompt cached: 1024*1.25 + 1*10 = 1280+10", "chat", gpt, chat(1024, 1, cached=1024), hand=1_290_000)
    vector("cached without a cache price costs the input price: 10*3 + 0*15 = 30", "chat", prices("3", "15"),
           chat(10, 0, cached=10), hand=30_000)
    vector("written without a write price costs the input price: 10*3 = 30", "chat", prices("3", "15"),
           chat(10, 0, written=10), hand=30_000)
    vector("reasoning inside the completion: 10*2.5 + (100-80)*10 + 80*10 = 25+1000", "chat", gpt,
           chat(10, 100, reasoning=80), hand=1_025_000)
    vector("reasoning at a price of its own: 10*1 + 20*4 + 80*8 = 10+80+640", "chat", prices("1", "4", reasoning="8"),
           chat(10, 100, reasoning=80), hand=730_000)
    vector("reasoning beside the completion, told by the total 190 = 10+100+80: 10*1 + 100*4 + 80*4 = 730", "chat",
           prices("1", "4"), {**chat(10, 100, reasoning=80), "total_tokens": 190}, hand=730_000)
    vector("text count that includes the reasoning (100+80 > 100): counted once, 10*1 + 20*4 + 80*4 = 410", "chat",
           prices("1", "4"), chat(10, 100, reasoning=80, said=100), hand=410_000)
    vector("more reasoning than completion, total says inside: only 30 exist, 10*1 + 30*4 = 130", "chat", prices("1", "4"),
           chat(10, 30, reasoning=50), hand=130_000)
    vector("more reasoning than completion and no total: it stands beside, 10*1 + 30*4 + 50*4 = 330", "chat", prices("1", "4"),
           {"prompt_tokens": 10, "completion_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 50}}, hand=330_000)
    vector("audio in and out: 900*2.5 + 100*40 + 50*10 + 200*80 = 2250+4000+500+16000", "chat", voice,
           chat(1000, 250, audio=100, spoken=200), hand=22_750_000)
    vector("audio that was cached counts once: 900 cached, 100 left for 600 audio: 900*1.25 + 100*40 = 1125+4000", "chat",
           prices("2.5", "10", cacheRead="1.25", inputAudio="40"), chat(1000, 0, cached=900, audio=600), hand=5_125_000)
    vector("cached, audio and image overlap: 500 cached, 300 audio, 200 left of 400 image: 500*1 + 300*8 + 200*4 = 500+2400+800", "chat",
           prices("2", "10", cacheRead="1", inputAudio="8", inputImage="4"), chat(1000, 0, cached=500, audio=300, image=400), hand=3_700_000)
    vector("image tokens at their own price: 200*5 + 800*10 = 1000+8000", "chat", prices("5", "0", inputImage="10"),
           chat(1000, 0, image=800), hand=9_000_000)
    vector("DeepSeek: hits 0.028, misses 0.28: 900*0.028 + 100*0.28 + 50*0.42 = 25.2+28+21 = 74.2", "chat", deep,
           {**chat(1000, 50), "prompt_cache_hit_tokens": 900, "prompt_cache_miss_tokens": 100}, hand=74_200)
    vector("DeepSeek says the hits twice (old and new name): counted once, 74.2 again", "chat", deep,
           {**chat(1000, 50, cached=900), "prompt_cache_hit_tokens": 900, "prompt_cache_miss_tokens": 100}, hand=74_200)
    vector("Anthropic, no cache: 25*3 + 150*15 = 75+2250", "messages", claude, messages(25, 150), hand=2_325_000)
    vector("Anthropic cache read is beside the input: 25*3 + 2000*0.3 + 10*15 = 75+600+150", "messages", claude,
           messages(25, 10, read=2000), hand=825_000)
    vector("Anthropic 5 minute write: 25*3 + 2000*3.75 + 10*15 = 75+7500+150", "messages", claude,
           messages(25, 10, w5=2000), hand=7_725_000)
    vector("Anthropic 1 hour write: 25*3 + 2000*6 + 10*15 = 75+12000+150", "messages", claude,
           messages(25, 10, w1=2000), hand=12_225_000)
    vector("both writes and a read: 10*3 + 100*0.3 + 456*3.75 + 100*6 + 1*15 = 30+30+1710+600+15", "messages", claude,
           messages(10, 1, read=100, w5=456, w1=100), hand=2_385_000)
    vector("1 hour write without its own price costs the 5 minute price: 100*3.75 = 375", "messages", plain,
           messages(0, 0, w1=100), hand=375_000)
    vector("writes told only by lifetime: 456*3.75 + 100*6 + 1*3 = 1710+600+3", "messages", claude,
           {"input_tokens": 1, "output_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100}},
           hand=2_313_000)
    vector("web searches: 100*3 + 50*15 microdollars + 3 * 0.01 dollars = 1050+30000 microdollars", "messages", claude,
           messages(100, 50, server_tool_use={"web_search_requests": 3}), hand=31_050_000, webSearchDollars=Literal("0.01"))
    vector("exactly at the threshold (200000) the base price: 200000*3 + 1000*15 = 600000+15000", "chat", tiered,
           chat(200_000, 1000), hand=615_000_000)
    vector("one above the threshold the whole request: 200001*6 + 1000*22.5 = 1200006+22500", "chat", tiered,
           chat(200_001, 1000), hand=1_222_506_000)
    vector("cache reads count towards the threshold: 1*6 + 200000*0.6 + 10*22.5 = 6+120000+225", "messages", tiered,
           messages(1, 10, read=200_000), hand=120_231_000)
    vector("flex: 1000*0.625 + 100*5 = 625+500", "chat", tiers, chat(1000, 100), tier="flex", hand=1_125_000)
    vector("priority with cache: 400*2.5 + 600*0.25 + 100*20 = 1000+150+2000", "chat", tiers, chat(1000, 100, cached=600),
           tier="priority", hand=3_150_000)
    vector("tier `default` is the base price: 1000*1.25 + 100*10 = 1250+1000", "chat", tiers, chat(1000, 100), tier="default", hand=2_250_000)
    vector("batch tier: 1000*0.625 + 100*5 = 625+500", "messages", tiers, messages(1000, 100), tier="batch", hand=1_125_000)
    vector("a tier without a price is the base price: 100*3 + 10*15 = 450", "chat", plain, chat(100, 10), tier="priority", hand=450_000)
    vector("embeddings: 8*0.02 = 0.16 microdollars", "embeddings", embed, {"prompt_tokens": 8, "total_tokens": 8}, hand=160)
    vector("embeddings told only as a total: 10*0.02 = 0.2 microdollars", "embeddings", embed, {"total_tokens": 10}, hand=200)
    vector("a price below one nano-dollar: 7 * 0.1 nano = 0.7, up to 1", "embeddings", prices("0.0001", "0"),
           {"prompt_tokens": 7, "total_tokens": 7}, hand=1)
    vector("rounded once over the sum, not per class: 1*0.4 + 1*0.4 nano = 0.8, up to 1", "chat", prices("0.0004", "0.0004"),
           chat(1, 1), hand=1)
    vector("exact at a whole figure: 5*0.4 = 2 nano, not 3", "chat", prices("0.0004", "0.0004"), chat(3, 2), hand=2)
    vector("zero prices", "chat", prices("0", "0"), chat(100_000, 100_000), hand=0)
    vector("zero tokens at a fee for each request: 5000 nano", "chat", prices("3", "15"), chat(0, 0), hand=5000, perRequestNanodollars=5000)
    vector("fee for each request: 10*3 + 1*15 = 45 microdollars + 5000 nano", "chat", prices("3", "15"), chat(10, 1),
           hand=50_000, perRequestNanodollars=5000)
    vector("the provider's own figure goes first: 0.00123 dollars", "chat", gpt, chat(10, 5, cost=Literal("0.00123")), hand=1_230_000)
    vector("the provider's own figure as an object: 0.006 dollars", "chat", gpt, chat(10, 5, cost={"total_cost": Literal("0.006")}), hand=6_000_000)
    vector("the provider's own figure is rounded up: 1.2 nano to 2", "chat", gpt, chat(10, 5, cost=Literal("0.0000000012")), hand=2)
    vector("a reported 0 means not reported: 10*2.5 + 5*10 = 75", "chat", gpt, chat(10, 5, cost=0), hand=75_000)
    vector("beyond 2^53 in the product: 900719925 tokens at 10 dollars a million = 9007.19925 dollars", "chat", prices("10", "0"),
           chat(900_719_925, 0), hand=9_007_199_250_000)
    vector("beyond 2^53 and not whole: 900719925 * 12.345679 nano = 11119999062.954075, + 1 * 0.0001, up", "chat",
           prices("0.012345679", "0.0000001"), chat(900_719_925, 1), hand=11_119_999_063)
    vector("discount of 10 %: 7500 microdollars - 750 = 6750", "chat", gpt, chat(1000, 500), discount="0.1", hand=6_750_000)
    vector("discount 0.29 of 100 nano is 29, not 28: 71", "chat", prices("0.1", "0"), chat(1, 0), discount="0.29", hand=71)
    vector("margin 0.07 on 100 nano is 7, not 8: 107", "chat", prices("0.1", "0"), chat(1, 0), margin={"ratio": "0.07"}, hand=107)
    vector("discount then margin then fee: 1000 - 300 = 700, + 10 % = 770, + 5 = 775", "chat", prices("1", "0"), chat(1, 0),
           discount="0.3", margin={"ratio": "0.1", "fixed": 5}, hand=775)
    vector("margin of a fixed figure on nothing is nothing", "chat", prices("0", "0"), chat(1, 1), margin={"fixed": 5}, hand=0)
    vector("stream: cumulative usage in each chunk is not summed: last is 10*2.5 + 30*10 = 325", "chat-stream", gpt,
           [chat(10, 10), chat(10, 20), chat(10, 30)], hand=325_000)
    vector("stream: chunks with usage null, then the figures: 10*2.5 + 30*10 = 325", "chat-stream", gpt,
           [None, None, None, chat(10, 30)], hand=325_000)
    vector("Anthropic stream: output of the delta replaces the start's 1: 25*3 + 15*15 = 75+225", "messages-stream", claude,
           [messages(25, 1), {"output_tokens": 15}], hand=300_000)
    vector("Anthropic stream: the delta leaves the caches out: 10*3 + 100*0.3 + 200*3.75 + 20*15 = 30+30+750+300", "messages-stream",
           claude, [messages(10, 1, read=100, w5=200), {"output_tokens": 20}], hand=1_110_000)
    vector("Anthropic stream: the delta repeats the input as 0: 10*3 + 100*0.3 + 20*15 = 30+30+300", "messages-stream", claude,
           [messages(10, 1, read=100), messages(0, 20)], hand=360_000)
    vector("Anthropic stream: the input is known only at the end: 40*3 + 20*15 = 120+300", "messages-stream", claude,
           [messages(0, 0), messages(40, 20)], hand=420_000)
    vector("Anthropic stream: 1 hour writes survive a delta without lifetimes: 100*6 + 5*15 = 600+75", "messages-stream", claude,
           [messages(0, 0, w1=100), {"input_tokens": 0, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 0, "output_tokens": 5}],
           hand=675_000)
    vector("priority above a threshold with a figure of its own: 300000*4 + 10*30 = 1200000+300", "chat",
           prices("1", "10", input_above_200k="2", output_above_200k="15", input_priority="2", output_priority="20",
                  input_above_200k_priority="4", output_above_200k_priority="30"), chat(300_000, 10), tier="priority", hand=1_200_300_000)
    vector("priority below that threshold: 1000*2 + 10*20 = 2200", "chat",
           prices("1", "10", input_above_200k="2", output_above_200k="15", input_priority="2", output_priority="20",
                  input_above_200k_priority="4", output_above_200k_priority="30"), chat(1000, 10), tier="priority", hand=2_200_000)
    vector("flex above a threshold without a figure of its own: the dearer, 300000*2 + 10*15 = 600000+150", "chat",
           prices("1", "10", input_above_200k="2", output_above_200k="15", input_flex="0.5", output_flex="5"),
           chat(300_000, 10), tier="flex", hand=600_150_000)


LISTS = [
    ("small", prices("0.15", "0.6", cacheRead="0.075")),
    ("large", prices("2.5", "10", cacheRead="1.25", inputAudio="40", outputAudio="80")),
    ("reasoning", prices("1.1", "4.4", cacheRead="0.275", reasoning="4.4")),
    ("claude", prices("3", "15", cacheRead="0.3", cacheWrite="3.75", cacheWriteLong="6")),
    ("opus", prices("15", "75", cacheRead="1.5", cacheWrite="18.75", cacheWriteLong="30")),
    ("long context", prices("3", "15", cacheRead="0.3", cacheWrite="3.75", cacheWriteLong="6", input_above_200k="6", output_above_200k="22.5",
                            cacheRead_above_200k="0.6", cacheWrite_above_200k="7.5")),
    ("two thresholds", prices("1", "4", input_above_128k="2", output_above_128k="8", input_above_256k="5")),
    ("service tiers", prices("1.25", "10", cacheRead="0.125", input_flex="0.625", output_flex="5", cacheRead_flex="0.0625",
                             input_priority="2.5", output_priority="20")),
    ("fractions", prices("0.0375", "0.15", cacheRead="0.00375", inputImage="0.0713", reasoning="0.1999")),
    ("tiny", prices("0.000003", "0.000007", cacheRead="0.000001")),
]


def grid():
    shapes = [
        ("text", "chat", chat(1, 1)),
        ("prime figures", "chat", chat(7919, 6577)),
        ("cached", "chat", chat(4096, 33, cached=3968)),
        ("cached and written", "chat", chat(9000, 700, cached=1200, written=7000)),
        ("written for an hour", "chat", {**chat(5000, 3), "prompt_tokens_details": {"cache_creation_tokens": 4000,
         "cache_creation_token_details": {"ephemeral_5m_input_tokens": 1500, "ephemeral_1h_input_tokens": 2500}}}),
        ("all details", "chat", chat(5003, 1999, cached=1001, audio=503, image=251, reasoning=997, spoken=101)),
        ("parts beyond the prompt", "chat", chat(1000, 500, cached=700, audio=600, image=600, reasoning=450, spoken=100)),
        ("reasoning beside", "chat", {**chat(333, 77, reasoning=1234), "total_tokens": 333 + 77 + 1234}),
        ("names of the messages API", "chat", {**chat(8000, 90), "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 1000}),
        ("hits and misses", "chat", {**chat(3001, 301), "prompt_cache_hit_tokens": 2048, "prompt_cache_miss_tokens": 953}),
        ("at 128000", "chat", chat(128_000, 11)),
        ("above 128000", "chat", chat(128_001, 11)),
        ("at 200000, cached", "chat", chat(200_000, 12, cached=150_000)),
        ("above 200000, cached", "chat", chat(200_001, 12, cached=150_000)),
        ("above 256000", "chat", chat(256_001, 13)),
        ("messages", "messages", messages(2095, 503)),
        ("messages, everything", "messages", messages(101, 2003, read=30_011, w5=4_007, w1=2_011,
         output_tokens_details={"thinking_tokens": 1501})),
        ("messages above 200000", "messages", messages(3, 17, read=150_000, w5=50_000)),
        ("messages at 200000", "messages", messages(3, 17, read=150_000, w5=49_997)),
        ("billions of tokens", "chat", chat(123_456_789_012, 9_876_543_210, cached=98_765_432_109)),
        ("stream with empty chunks", "chat-stream", [None, None, chat(511, 257, cached=256)]),
        ("stream with running totals", "chat-stream", [chat(511, 1), chat(511, 99), chat(511, 257, cached=256, reasoning=128)]),
        ("messages stream", "messages-stream", [messages(472, 2, read=1000, w5=33), {"output_tokens": 89}]),
        ("embeddings", "embeddings", {"prompt_tokens": 8191, "total_tokens": 8191}),
    ]
    for name, table in LISTS:
        for shape, format, usage in shapes:
            vector(f"{name}: {shape}", format, table, usage)
    for name, table in LISTS:
        for tier in ("flex", "priority", "batch"):
            vector(f"{name}: service tier {tier}", "chat", table, chat(4099, 1021, cached=1024, reasoning=512), tier=tier)
            vector(f"{name}: service tier {tier}, messages", "messages", table, messages(1013, 307, read=2029, w5=509), tier=tier)
    for discount, ratio, fixed in (("0.05", None, 0), ("0.29", "0.07", 0), (None, "0.15", 250), ("0.333", "0.0001", 1), ("1", "0.5", 0), ("0.575", "1.1", 3)):
        for name, table in LISTS[:6]:
            margin = None if ratio is None else {"ratio": ratio, "fixed": fixed}
            vector(f"{name}: discount {discount}, margin {ratio} + {fixed}", "chat", table, chat(10_007, 4001, cached=8192), discount=discount, margin=margin)
    for searches in (0, 1, 7):
        for name, table in LISTS[3:6]:
            vector(f"{name}: {searches} web searches", "messages", table, messages(1201, 89, server_tool_use={"web_search_requests": searches}),
                   webSearchDollars=Literal("0.01"))
            vector(f"{name}: {searches} search queries", "chat", table, chat(1201, 89, num_search_queries=searches), webSearchDollars=Literal("0.005"))


def ranges_by_hand():
    one, two, three = prices("1", "5", cacheRead="0.1", cacheWrite="1.25"), prices("1.8", "9"), prices("3", "0")
    del three[KEYS["output"]]
    table = {**prices("99", "15", reasoning="20", cacheRead="77"),
             "tiered_pricing": [{"range": [0, 32_000], **one}, {"range": [32_000, 128_000], **two}, {"range": [128_000, 256_000], **three}]}
    vector("the end of a range is in it: 32000*1 + 100*5 = 32000+500", "chat", table, chat(32_000, 100), hand=32_500_000)
    vector("one token more, all at the next range: 32001*1.8 + 100*9 = 57601.8+900", "chat", table, chat(32_001, 100), hand=58_501_800)
    vector("first range with its cache: 100*1 + 600*0.1 + 300*1.25 + 50*5 = 100+60+375+250", "chat", table,
           chat(1000, 50, cached=600, written=300), hand=785_000)
    vector("a range without a cache price, its input price: 10000*1.8 + 30000*1.8 + 10*9 = 72000+90", "chat", table,
           chat(40_000, 10, cached=30_000), hand=72_090_000)
    vector("reasoning at the range's output, not at the price beside: 1000*1 + 20*5 + 80*5 = 1000+500", "chat", table,
           chat(1000, 100, reasoning=80), hand=1_500_000)
    vector("a range without an output price takes those beside: 200000*3 + 20*15 + 80*20 = 600000+300+1600", "chat", table,
           chat(200_000, 100, reasoning=80), hand=601_900_000)
    vector("above the last range, the last: 300000*3 + 1*15 = 900000+15", "chat", table, chat(300_000, 1), hand=900_015_000)
    vector("what is cached counts for the range: 10 + 31990 + 1 = 32001 at 1.8, 1*9 = 57601.8+9", "messages", table,
           messages(10, 1, read=31_990, w5=1), hand=57_610_800)


def hours_by_hand():
    table = {**prices("0.55", "2.19", cacheRead="0.14"),
             "off_peak_pricing": {"hours_utc": "16:30-00:30", **prices("0.135", "0.55", cacheRead="0.035")}}
    low, usual = "400*0.135 + 600*0.035 + 100*0.55 = 54+21+55", "400*0.55 + 600*0.14 + 100*2.19 = 220+84+219"
    for at, note, hand in (("16:30:00.000", low, 130_000), ("16:29:59.999", usual, 523_000), ("00:29:59.999", low, 130_000),
                           ("00:30:00.000", usual, 523_000)):
        vector(f"at {at}: {note}", "chat", table, chat(1000, 100, cached=600), hand=hand, at=f"2026-11-25T{at}Z")
    vector("a cache without a price follows the input: 1000*1 + 10*8 = 1000+80", "chat",
           {**prices("2", "8"), "off_peak_pricing": {"hours_utc": ["01:00-02:00", "03:00-04:00"], KEYS["input"]: Literal("1e-6")}},
           chat(1000, 10, cached=500), hand=1_080_000, at="2026-11-25T03:59:00Z")
    vector("all day, above a threshold too: 250000*1.5 + 10*5 = 375000+50", "chat",
           {**prices("3", "15", input_above_200k="6", output_above_200k="22.5"),
            "off_peak_pricing": {"hours_utc": "00:00-00:00", **prices("1.5", "5")}},
           chat(250_000, 10), hand=375_050_000, at="2026-11-25T12:00:00Z")


by_hand()
grid()
ranges_by_hand()
hours_by_hand()
for made in VECTORS:
    print(json.dumps(made))
