import { eachInShort } from './each-in-short.ts';
import { connectionRows } from './rows/index.ts';

eachInShort('connections on the wire', connectionRows);
