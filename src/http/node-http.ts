/*
 * node:http, fetched instead of imported: an import reads every member of the module once, `WebSocket` among them, and
 * with that Node loads its own copy of undici, which nobody here uses: 14 MB and 70 ms of every start.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
