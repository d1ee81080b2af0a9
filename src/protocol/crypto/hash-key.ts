/**
 * The key of the network that this protocol was first written for. It has a file of its own, so that whoever
 * only passes it on does not load the hash.
 */
export const DEFAULT_HASH_KEY = "69fa4195670576c0160d660c3be36556ff8d504725be8a59b5a96509e0c994bc";
