/** `@sudoagent/postgres/schema`: the tables, triggers and roles, as SQL text or applied to a server. */

export { SCHEMA_VERSION, type SchemaOptions, schemaSql } from './schema/schema.js'
export { type ApplyOptions, applySchema, grantWriter, openRights } from './schema-apply.js'
