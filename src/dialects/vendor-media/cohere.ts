import { type FormField, formBody } from '../../core/form.ts';
import type { TranscriptionRequest, TranscriptionResponse } from '../../core/neutral-media.ts';
import { malformed } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { inexpressible } from '../parameter-edits.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { refuseTranslation, spokenByProviders, transcript } from './audio.ts';

/** https://docs.cohere.com/reference/create-audio-transcription: a text, and nothing of when it was said */
export const cohereTranscription: TaskFormat<TranscriptionRequest, TranscriptionResponse> = {
  ...spokenByProviders('cohere-transcription', 'transcription'),
  encodeBody: (request, options) => {
    const { audio, format, granularities, language, prompt, temperature } = request;
    refuseTranslation(request);
    if (format !== 'json' && format !== 'text') throw inexpressible(`transcripts as "${format}"`, 'response_format');
    leaveOut(options, { prompt, timestamp_granularities: granularities.length > 0 ? granularities : undefined });
    const values = given({
      ...options.defaults,
      ...request.extra,
      model: options.model,
      ...given({ language, temperature }),
      ...options.extraBody,
    });
    if (values.language === undefined) throw malformed('language', 'Cohere has to be told it, as in "en"');
    const fields = Object.entries(values).map(([name, value]): FormField => ({ name, value: String(value) }));
    return formBody([...fields, { name: 'file', ...audio }]);
  },
  decodeResponse: (body) => {
    if (typeof body.text !== 'string') throw notAnAnswer('text');
    return transcript(body.text, [], undefined, 0);
  },
};
