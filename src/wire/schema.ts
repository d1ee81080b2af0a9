/**
 * The parts of zod that the schemas of this program use.
 *
 * The entry of zod loads about a hundred translations of its error messages. The build bundles this file with only the
 * code it needs, so a command starts with fewer open files and in a third of the time
 * (docs/decisions/0022-bundled-schemas.md).
 */
export {
  array,
  boolean,
  custom,
  discriminatedUnion,
  enum,
  int,
  literal,
  looseObject,
  NEVER,
  number,
  object,
  type output,
  record,
  strictObject,
  string,
  tuple,
  union,
  unknown,
  type ZodType,
} from "zod";
