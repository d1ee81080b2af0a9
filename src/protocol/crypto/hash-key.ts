/**
 * The default hash key: that of the network for which this protocol was written. It has its own file so that modules
 * that only pass it on do not load the hash.
 */
export const DEFAULT_HASH_KEY = "69fa4195670576c0160d660c3be36556ff8d504725be8a59b5a96509e0c994bc";
