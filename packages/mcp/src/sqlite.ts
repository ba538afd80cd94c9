/**
 * `@sudoagent/mcp/sqlite`: tool definitions in a SQLite file. A separate entry point, so that the main entry point
 * loads no native code.
 */
export { SqliteToolPins, type SqliteToolPinsOptions } from './tool/sqlite-tool-pins.js'
