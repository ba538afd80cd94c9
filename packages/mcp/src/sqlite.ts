/** `@sudoagent/mcp/sqlite`: tool definitions on file. Apart, so that the main entry loads no native code. */
export { SqliteToolPins, type SqliteToolPinsOptions } from './tool/sqlite-tool-pins.js'
