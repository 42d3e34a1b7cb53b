import { eachInShort } from './each-in-short.ts';
import { streamRows } from './rows/index.ts';

eachInShort('streams on the wire', streamRows);
