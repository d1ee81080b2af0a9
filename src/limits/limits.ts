/**
 * Every bound on what comes from outside, each with its reason. What crosses a bound is refused with
 * an error that names the bound; nothing is cut short in silence.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

/** Nodes in a network. From about 53,000 on, the rule for the ends of partitions (PROTOCOL.md,
 *  Partitions) makes neighbouring partitions overlap, so larger networks have no geometry at all. */
export const nodesMax = 50_000;

/** Objects and lists inside one another. Account data is a few levels deep; the walk over a value is
 *  recursive, and must end with an error long before the stack does. */
export const depthMax = 500;

/** Hexadecimal digits of a big integer. One of an EVM has at most 64. */
export const bigIntegerDigitsMax = 16 * KiB;

/** Hexadecimal digits of a big integer that stands where digits or a byte belong: the network's code reads its
 *  decimal digits there. Converting takes quadratic time, and each level of nesting makes the number longer. */
export const nestedBigIntegerDigitsMax = 256;

/** Bytes that stand where digits or a byte belong: the network's code makes text of them. */
export const nestedBytesMax = 16 * KiB;

/** Lists inside one another where digits or a byte belong: each level copies its text. */
export const nestedListsMax = 16;

/** Values in one JSON text from outside, such as an account or a gossip message: some 100 MB once they are parsed.
 *  The largest honest message has three hashes for each of 50,000 partitions. */
export const jsonValuesMax = 500_000;

/** Values in one account. The code of a contract may be a list of some 100,000 numbers. */
export const accountValuesMax = 125_000;

/** One account record on the wire. The largest real accounts hold contract code of some 100 KiB. Copying one of
 *  this size takes ten times as much memory for the moment, for each of the answers that come at once. */
export const recordBytesMax = 8 * MiB;

/** The beginning of a record that is held until more of it has come: most records are smaller, and larger
 *  ones are parsed. */
export const heldRecordBytesMax = 256 * KiB;

/** White space in a row outside of records. A pretty-printed answer has some dozens. */
export const whiteSpaceRunMax = 64 * KiB;

/** What one answer may hold on the disk before a hash confirms it: at first; then so many times as much as the
 *  largest partition that is confirmed, since addresses are spread evenly; and where other nodes have sent more
 *  than either, {@link unconfirmedFactor} times as much, and so on up to {@link partitionBytesMax}. */
export const unconfirmedBytesFirst = 32 * MiB;
export const unconfirmedPerConfirmed = 4;
export const unconfirmedFactor = 16;
export const partitionBytesMax = 8 * TiB;

/** Of the free disk, what all answers together may take unconfirmed: others use the disk as well. In the end, when
 *  nobody is left to ask and answers come one at a time, one may take more. */
export const unconfirmedDiskShare = 1 / 2;
export const unconfirmedDiskShareLast = 7 / 8;

/** An answer's bytes for each partition that its node stores, whether they are kept or passed over. */
export const responseBytesPerPartition = 512 * MiB;

/** Accounts of an answer in partitions that its node does not store. A node may hold left-overs of an
 *  earlier membership; more than these is somebody else's state, sent to cost us time. */
export const foreignAccountsMax = 10_000;

/** Repetitions of an account in one answer, identical to the first: dropped up to here. */
export const duplicateAccountsMax = 1_000;

/** Uncompressed ÷ compressed bytes of a gzip body, once past {@link gzipRatioFromBytes}. Account text
 *  reaches about 20; only filler comes near gzip's limit of 1,032. */
export const gzipRatioMax = 250;
export const gzipRatioFromBytes = 8 * MiB;

/** Compressed bytes beyond those that come out: gzip never makes a text longer, but endless empty blocks
 *  bring nothing at all. */
export const gzipIdleBytesMax = 1 * MiB;

/** A list from an archiver or a file, whole in memory since its signature is over the whole: as bytes, as text,
 *  parsed, and as canonical text. 50,000 nodes of 300 bytes are 15 MB, 100 cycle records seldom 1 MB.
 *  With both lists as large as they may be, a run takes some 400 MB. */
export const listBytesMax = 24 * MiB;

/** One gossip message on the wire, in the largest network. */
export const gossipMessageBytesMax = 8 * MiB;

/** The signed part of a vote: three hashes for each partition that its sender stores, and room for the rest. It is
 *  kept in memory, and as evidence. */
export const gossipMessageBytesBase = 16 * KiB;
export const gossipMessageBytesPerPartition = 512;

/** Values in a message as received: three hashes for each partition that its sender stores, and as many for what else
 *  a network may say. Small values cost fifty times their size, and time wherever they are walked. */
export const gossipMessageValuesBase = 4_096;
export const gossipMessageValuesPerPartition = 8;

/** A message as received, in times of the longest vote of its network: what is longer is not parsed. Whoever passes a
 *  message on can make it longer, by white space and by keys that no signature covers. */
export const gossipReceivedFactor = 4;

/** All of one node's answer to a request for gossip, which is streamed: 10,000 nodes of 1,000 hashes. In a smaller
 *  network liars may fill it: an honest node passes on whatever has a valid signature. */
export const gossipResponseBytesMax = 1 * GiB;

/** A `/netconfig` answer, and an error body of which a line is shown. */
export const netconfigBytesMax = 4 * MiB;
export const errorBodyBytesMax = 4 * KiB;

/** Headers of one answer. */
export const headerBytesMax = 32 * KiB;

/** Cycle records asked of an archiver at once: six months of one-minute cycles. */
export const cycleRecordsMax = 262_144;

/** The numbers of cycles: one a second for 30,000 years. */
export const cycleNumberMax = 1_000_000_000_000;

/** Network hashes of earlier cycles in one record: usually one. */
export const recordedHashesMax = 1_000;

/** When a cycle starts, in seconds: until the end of the year 9999, beyond which ISO 8601 has no usual form. */
export const secondsMax = 253_402_300_799;

/** How long a cycle is, in seconds: snapshots are of whole milliseconds, and networks have cycles of a minute. */
export const cycleSecondsMin = 0.001;
export const cycleSecondsMax = 366 * 24 * 60 * 60;

/** Cycle records in one response to `POST /cycleinfo`, and such responses for one run: a month of one-minute cycles,
 *  of which some 150 MB are in memory. */
export const cyclePageRecords = 101;
export const cyclePagesMax = 500;

/** Validators asked for `/netconfig`, so many at once and each for so long: a sample in which a minority of
 *  liars is not the majority, and which does not hold up a run. */
export const netconfigNodes = 21;
export const netconfigNodesAtOnce = 21;

/** Validators asked for a `/netconfig` response that the cycle record proves: one honest one suffices, and among so
 *  many there is one even where four in five lie or are silent. */
export const netconfigProofNodes = 84;
export const netconfigTimeMaxMs = 15_000;

/** One list, from the beginning of the first attempt to the end of the last: an honest list of 15 MB needs less
 *  on any line that could fetch a state. */
export const listTimeMaxMs = 45_000;

/** A file that the user names and that is a pipe: how long until it has a writer, and how often it is looked. */
export const pipeWaitMaxMs = 30_000;
export const pipeCheckMs = 10;

/** Validators that a collector asks at once for gossip. */
export const gossipNodesPerRound = 8;

/** Requests for gossip that hold a place at once: the union of so many responses soon stops growing. */
export const gossipRequestsAtOnce = 8;

/** Requests for gossip under way at once, stragglers included: each has a socket, and holds one message. */
export const gossipRequestsMax = 32;

/** How long a request for gossip holds its place without a new vote, at the most and at the least; in between it is
 *  so many times as long as others took. What brings votes at the rate at which nobody else is asked as well holds its
 *  place for as long as it does. */
export const gossipHedgeMaxMs = 1_000;
export const gossipHedgeMinMs = 250;
export const gossipHedgeFactor = 2;
export const gossipBytesPerSecondMin = 256 * KiB;

/** How many times as fast votes that are known already must come for a request to hold its place. */
export const gossipKnownBytesFactor = 8;

/** How often it is looked whether a request for gossip is late. */
export const gossipCheckMs = 50;

/** Requests for gossip to one node, where the earlier ones failed only for the moment, and the pause between them. */
export const gossipAttemptsMax = 3;
export const gossipPauseMs = 1_000;

/** Once all others have been heard, how long stragglers are waited for: as long as an honest node may be busy, and
 *  short enough for a run that must fail to do so within a minute. Where a quorum is there already and only the
 *  winner could still change, less will do: a straggler is more often down than decisive. */
export const gossipStragglersMs = 10_000;
export const gossipLateVotesMs = 3_000;

/** No further node is asked for gossip after this: a large network that is down must not take hours. */
export const gossipTimeMaxMs = 180_000;

/** Once all is agreed, how long responses under way may go on, to tell who dissents. */
export const gossipGraceMs = 1_000;

/** Messages that nobody has signed, in one response, before its rest is not read: each costs as much as an honest
 *  one, and is made up for nothing. */
export const gossipUnsignedMax = 100;

/** The votes of one run, and those that contradict them, as texts: the file of evidence has no room for more. */
export const gossipVotesBytesMax = 192 * MiB;
export const gossipContradictionsBytesMax = 32 * MiB;

/** How long an archiver whose node list is newer than its cycle records has to store the missing record. */
export const recordsRereadMs = 1_000;

/** A file of gossip. */
export const gossipFileBytesMax = 256 * MiB;

/** A pipe of gossip, as far as it is kept in memory for a second reading. */
export const gossipPipeBytesMax = 64 * MiB;

/** Attempts at one node for one thing, the first included. */
export const attemptsMax = 4;

/** Pauses between attempts at one node: doubling from the first to the last, with jitter. */
export const backoffFirstMs = 250;
export const backoffLastMs = 8_000;

/** The longest `Retry-After` that is obeyed; a node that asks for more is not asked again. */
export const retryAfterMaxMs = 60_000;

/** Bytes a second of an answer, measured over a stall timeout, below which it counts as stalled: a
 *  node that sends a byte now and then must not hold the run for ever. */
export const bytesPerSecondMin = 1 * KiB;

/** An answer is late when it has made us wait so many times as long as others did for as many bytes, and this
 *  much longer at the least: a pause of a second is nothing unusual. */
export const stragglerFactor = 4;
export const stragglerAfterMs = 2_000;

/** Where there is no other answer to compare with, one is late after this without a byte (a third of the usual
 *  stall timeout), or as long after it would have ended at the slowest rate at which somebody else is not asked
 *  as well: then there is something to compare with. */
export const stragglerUnmeasuredMs = 10_000;
export const unmeasuredBytesPerSecond = 256 * KiB;

/** How many times as long as others' an answer may be for its length to count, where it is asked whether it is late:
 *  a node that knows no ranges sends all that it stores, others perhaps one partition of it. */
export const lengthFactor = 16;

/** How many times longer than usual late answers are waited for in the end, where everybody else was asked as
 *  well: twice as long each time, so that whoever is slow and honest can end at last. */
export const hedgeBackoffMax = 64;

/** How often it is looked whether an answer is late. */
export const stragglerCheckMs = 250;
/** After a time without a decision, the pause is that share of it, up to a bound: hours of waiting cost little. */
export const stragglerCheckShare = 1 / 20;
export const stragglerCheckMaxMs = 5_000;

/** Late partitions that are asked elsewhere at once; and nodes that give one partition at once, the first
 *  included. Each further one may bring everything a second time, into memory and onto the disk. */
export const hedgesMax = 4;
export const queriesPerPartitionMax = 3;

/** How much of a node's new answer goes into what is known of its speed, so that one slip is no verdict. */
export const speedSmoothing = 0.3;

/** Shorter answers say nothing about bytes a second: they come in one piece. */
export const speedSampleBytes = 1_000_000;

/** Answers that others are compared with, the newest: enough that a minority of slow ones does not count. */
export const speedsCompared = 64;

/** Differences of less than this do not put a node behind others: so much is chance. */
export const paceMarginMs = 100;

/** Once all is verified and one answer is over, how long the others may go on to their end: usually that is a
 *  few bytes, and whether they come well to an end stands in the record. */
export const responseTailMs = 250;

/** Size of the buffers between the socket, the hash and the disk. */
export const writeBufferBytes = 256 * KiB;

/** Memory that a connection receives into at once. */
export const receiveBufferBytes = 128 * KiB;

/** Buffers of that kind that are kept for the next partition: two for each of the usual number of answers. */
export const idleBuffersMax = 8;

/** How long the hash thread waits for more to hash before it ends: partitions follow each other at once. */
export const hashThreadIdleMs = 1_000;

/** Bytes of copies that are sorted in memory at once, where an answer comes out of order. */
export const sortChunkBytes = 24 * MiB;

/** Offences written down of one node: enough to act on, and no way to fill the disk. */
export const offencesPerNodeMax = 50;

/** Characters of outside text that are repeated in a message. */
export const quotedCharactersMax = 120;

/** Characters of one message: a path, a hash or two, and several quotations. */
export const lineCharactersMax = 8_192;

/** Cycles that gossip may wait for: those who are behind by more have other worries. */
export const gossipCyclesMax = 16;

/** Messages of one sender that wait for one cycle: the one that counts, and one more that convicts it. */
export const gossipMessagesPerSenderMax = 2;

/** All messages that wait: some cycles of 1,000 nodes with 100 hashes each. */
export const gossipQueueBytesMax = 128 * MiB;

/** Sorted runs that are merged at once: each is an open file. */
export const sortFanInMax = 64;

/** Bytes that wait to be written, over all partitions of one answer. */
export const pendingBytesMax = 8 * MiB;

/** Boundaries tried for `latest`, the newest first: validators need a while to finalize a cycle. */
export const latestCandidatesMax = 4;

/** How long after its end the newest cycle may be without agreed hashes, where `latest` is asked for: validators hash
 *  a cycle when its transactions are final, and gossip takes its time. */
export const latestSettleMs = 60_000;
export const latestSettleCycles = 3;

/** Any file of a snapshot of which nothing else is known. */
export const evidenceFileBytesMax = 256 * MiB;

/** Findings of one verification that are kept, and the characters of each: more help nobody. */
export const findingsMax = 1_000;
export const findingCharactersMax = 600;

/** Notes on one verification: gaps in the chain, and the like. */
export const auditNotesMax = 20;

/** The manifest, before the number of its partitions is known: 250 bytes for each of 50,001 artifacts. */
export const manifestBytesMax = 12 * MiB;

/** Export data: a hash and its key for each partition, and five lines more. */
export const exportDataBytesBase = 4 * KiB;
export const exportDataBytesPerPartition = 128;

/** The record of a run: where each partition came from, the queries and offences of each node, and room for a
 *  small network in which much goes wrong. It is parsed and written anew, to some eight times its size. */
export const runRecordBytesBase = 4 * MiB;
export const runRecordBytesPerPartition = 16 * KiB;
export const runRecordBytesMax = 32 * MiB;

/** A node list in the evidence: rows have some 300 bytes. */
export const nodeListBytesBase = 256 * KiB;
export const nodeListBytesPerNode = 4 * KiB;

/** The rules of counting: a dozen fields. */
export const countingBytesMax = 16 * KiB;

/** What a vote in the evidence has beside the signed part: its signature, and an end of line. */
export const gossipLineBytesSpare = 1 * KiB;

/** All votes in the evidence: 2,000 nodes that each store everything, and each equivocate. */
export const gossipEvidenceBytesMax = 2 * GiB;

/** Votes on different hashes that are kept where the most popular one is asked for. */
export const popularHashesMax = 500_000;

/** Evidence of a later version, and how many such files. */
export const otherEvidenceBytesMax = 64 * MiB;
export const otherEvidenceFilesMax = 16;

/** Nodes asked at the same time, at the most: each has a connection and a file. */
export const concurrencyMax = 64;

/** How long a write waits for another process that writes into the same hash database: commits take
 *  milliseconds, a checkpoint of the log a second or two. */
export const databaseBusyMs = 5_000;

/** The write-ahead log of a hash database is cut back to this once it is checkpointed. */
export const databaseLogBytesMax = 64 * MiB;

/** Rows of which the hash database is asked for the keys at once: what they hold is read one by one. */
export const databasePageRows = 64;

/** What is read of a hash database, which somebody else may have written: the short texts of a row; its offences and
 *  senders; and the values in all evidence together, of which an offence has some hundred. */
export const databaseWordBytesMax = 1 * KiB;
export const databaseDetailBytesMax = 4 * KiB;
export const databaseOffencesMax = 100_000;
export const databaseSendersMax = 200_000;
export const databaseEvidenceBytesMax = 32 * MiB;
export const databaseEvidenceValuesMax = 1_000_000;

/** Offences of one kind that the hash database keeps of a node, the newest: each may hold two messages. */
export const recordedOffencesMax = 50;

/** How long offences are kept: whoever has behaved for a year begins anew. */
export const offenceAgeMaxMs = 365 * 24 * 60 * 60 * 1_000;

/** Cycles before and after the newest known one of which a collector takes messages: validators gossip a
 *  cycle when it is over, and keep it for some more; our cycle records may be a poll behind. */
export const collectCyclesBehind = 32;
export const collectCyclesAhead = 4;

/** Cycles that an archiver's newest record may be ahead of the one before it, beyond those that have passed since: a
 *  cycle's messages are taken for {@link collectCyclesBehind} cycles, so that a false step of this size does no harm. */
export const chainSlackCycles = 8;

/** Answers in a row, each of which goes on from the one before, and the time that they must span, to change what
 *  gossip has confirmed. A collector that waits so long loses nothing: cycles that it missed are polled for. */
export const chainResponsesMin = 3;
export const chainJumpMs = 5 * 60_000;

/** How far an archiver's clock may be ahead of ours, in seconds. */
export const chainClockSlackSeconds = 600;

/** Networks of this family are younger, in seconds since 1970, and no cycle of theirs is shorter than a second or
 *  longer than a day: what follows is the highest number that a cycle can have. */
export const chainEpochSeconds = Date.UTC(2015, 0, 1) / 1000;
export const chainCycleSecondsMin = 1;
export const chainCycleSecondsMax = 86_400;

/** Cycles that a hash database can be told to keep. */
export const keepCyclesMax = 1_000_000;

/** The body of one push, all bodies that are held at once until they are answered, and those of one address prefix. */
export const pushBodyBytesMax = 16 * MiB;
export const pushBodiesBytesMax = 64 * MiB;
export const pushBodiesBytesPerPrefixMax = 24 * MiB;

/** Messages of one push that are refused before the rest of it is not looked at. */
export const pushRejectionsMax = 100;

/** Bytes of a pushed list that are cut into messages at once. */
export const pushSliceBytes = 4 * KiB;

/** Milliseconds of work on pushes between two looks at the connections: only one new connection is accepted
 *  at each. */
export const pushSliceMs = 5;

/** Connections to a collector, and of one address prefix. Where there are too many, whoever has most loses one. */
export const collectConnectionsMax = 1_024;
export const collectConnectionsPerPrefixMax = 256;

/** Headers of one request: what validators and proxies send has some hundred bytes. */
export const requestHeaderBytesMax = 8 * KiB;
export const requestHeadersMax = 64;

/** Requests that wait on one connection, and of one address prefix: each is an object of some kilobytes, made
 *  before anybody has asked for it. Clients that pipeline send a few ahead. */
export const pipelinedRequestsMax = 32;
export const waitingRequestsPerPrefixMax = 1_024;

/** What the parser of a server is given of a connection at once: some 160 of the shortest requests. */
export const parsedBytesAtOnce = 4 * KiB;

/** A body may come in so many chunks of any size; beyond them, chunks must have so many bytes on average. Each
 *  costs an object and a call, and nobody who means to send something sends a byte at a time. */
export const bodyChunksMax = 1_024;
export const bytesPerChunkMin = 64;

/** Cycles that a collector sends at once, in all and to one address prefix, and the longest that one may take. */
export const gossipResponsesMax = 64;
export const gossipResponsesPerPrefixMax = 8;
export const gossipResponseMsMax = 10 * 60_000;

/** A push that has not come whole by then is given up, and so is a connection on which nothing moves. */
export const collectRequestMs = 30_000;

/** How long pushed messages wait for others to be committed with, and how many go together: a commit waits
 *  for the disk, whatever is in it. */
export const commitDelayMs = 5;
export const commitBatchMax = 256;
export const commitBatchBytesMax = 4 * MiB;

/** Pushed signatures that are checked at once, each on a thread of its own: to make one up costs next to
 *  nothing, and must not cost us every core. */
export const signatureChecksAtOnce = 2;

/** Signatures that wait to be checked, of one address prefix and in all: a tenth of a second's work of each; and what
 *  the messages take up that wait with them. */
export const signaturesWaitingPerPrefixMax = 1_000;
export const signaturesWaitingMax = 4_000;
export const signaturesWaitingBytesPerPrefixMax = 8 * MiB;
export const signaturesWaitingBytesMax = 32 * MiB;

/** Stored messages that are known to be what was signed: those of a window of 1,000 nodes. */
export const verifiedVotesMax = 32_768;

/** Nodes asked for a cycle that was missed, in one poll. */
export const pollNodesMax = 32;

/** How long a collector that is told to end waits for the pushes that it has begun to take. */
export const collectEndMs = 5_000;

/** How long a validator's commits may wait for an export to start, and an export may take as a whole: what is
 *  given up then leaves nothing behind, and the next marked cycle tries again. */
export const exportStartMaxMs = 10_000;
export const exportTimeMaxMs = 30 * 60_000;

/** Cycles before and after its own of which a validator takes and keeps gossip: whoever assembles a snapshot
 *  asks for that of the newest few marked cycles. Where the messages are more than so many bytes, the oldest go. */
export const gossipCyclesBehind = 128;
export const gossipCyclesAhead = 4;
export const gossipHeardBytesMax = 256 * MiB;

/** What validators send one another in one push: so many messages, of so many bytes together, and room for one
 *  that is larger by itself. */
export const gossipMessagesPerPushMax = 64;
export const gossipBatchBytesMax = 1 * MiB;
export const gossipPushBytesMax = 8 * MiB;

/** What waits for a validator which does not answer, how long it may take to, and how often it is tried. */
export const outboxMessagesMax = 1_024;
export const outboxBytesMax = 16 * MiB;
export const gossipPushTimeoutMs = 3_000;
export const gossipPushAttemptsMax = 3;
export const gossipPushPauseMs = 250;

/** Connections to a server of a cluster, how long a request may take to come whole, and all bodies of requests
 *  that are held at once. */
export const serverConnectionsMax = 1_024;
export const serverConnectionsPerPrefixMax = 512;
export const serverRequestMs = 10_000;
export const serverBodiesBytesMax = 64 * MiB;
export const serverBodiesBytesPerPrefixMax = 32 * MiB;

/** How long an answer may wait for a client that reads slower than {@link bytesPerSecondMin}. */
export const answerStallMs = 30_000;

/** The body of `POST /snapshot`: it has four short fields. */
export const snapshotRequestBytesMax = 4 * KiB;

/** State metadata that validators tell the archiver: a hash for each partition, and room for the rest. */
export const stateMetadataBytesMax = 8 * MiB;

/** Cycles that a validator hashes at the same time: beyond that it is too slow for its network, and the next
 *  cycle waits. */
export const hashedCyclesMax = 2;

/** Cycles after which a validator takes what votes there are for all that will come. */
export const agreementCyclesMax = 3;

/** Exports that a validator keeps, the newest: an assembler that began with one still finds it after the next. */
export const exportsKept = 3;

/** Cycles whose hashes a validator's database keeps. */
export const hashedCyclesKept = 10_000;

/** Partial snapshots that a validator sends at once, in all and to one address. */
export const snapshotResponsesMax = 64;
export const snapshotResponsesPerAddressMax = 32;

/** An entry of the transaction log: the longest has two addresses and an amount. */
export const logEntryBytesMax = 1 * KiB;

/** Entries of the transaction log that are made at once, after a pause in which none were. */
export const logEntriesAtOnceMax = 10_000;

/** How long the transaction log may be silent, and the pause before it is asked for again. */
export const logSilenceMaxMs = 60_000;
export const logPauseMs = 250;

/** How long an archiver may take to answer a validator, and the pause before it is asked again. */
export const archiverTimeoutMs = 5_000;
export const archiverPauseMs = 250;
