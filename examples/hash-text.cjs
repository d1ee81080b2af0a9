/** The canonical text of a JSON text as received, and its hash: `node examples/hash-text.cjs <text>`. */

const { canonicalText, hashText } = require("snapshot-assemble");

const text = canonicalText(process.argv[2]);
console.log(text);
console.log(hashText(text));
