/**
 * The parts of zod that the schemas of this program use.
 *
 * zod's entry loads about a hundred translations of its error messages. The build bundles this file with
 * the code it needs, so that a command starts in fewer file descriptors and a third of the time
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
