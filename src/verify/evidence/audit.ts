/** The state of an audit: its subject, the auditor's trusted data, and the findings so far. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import type { ExportEntries } from "../../format/export-data.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { FileHashes } from "../../format/run-record.ts";
import type { SnapshotReader } from "../../format/snapshot-reader.ts";
import { auditNotesMax } from "../../limits/snapshot.ts";
import type { HashHex, PublicKey } from "../../protocol/brands.ts";
import { CanonicalTextError } from "../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import type { NodeList } from "../../wire/node-list.ts";
import { parseJson } from "../../wire/parse.ts";
import type { Requirement } from "../findings/claims.ts";
import type { FindingList } from "../findings/finding-list.ts";
import type { FindingKind } from "../findings/findings.ts";
import { listSignerOf, type Signer } from "./signer.ts";

/** Data that the auditor trusts, independent of the snapshot. */
export interface Trust {
  /** A trusted node list. */
  readonly nodeList?: TrustedNodeList | undefined;
  /** The key of a trusted archiver. */
  readonly archiverKey?: string | undefined;
  /** The trusted marker of a cycle record, of the snapshot's cycle or a later one. */
  readonly marker?: string | undefined;
  readonly nodesPerConsensusGroup?: number | undefined;
  readonly nodesPerEdge?: number | undefined;
  /** By default the majority, whatever the evidence states. */
  readonly quorum?: Quorum | undefined;
}

export interface TrustedNodeList {
  readonly list: NodeList;
  /** The file that it was read from. */
  readonly source: string;
  /** The hash of its bytes. */
  readonly hash: HashHex;
  /** The key of its valid signature, if it has one. */
  readonly signer: PublicKey | undefined;
}

export interface AuditOptions {
  readonly trust: Trust;
  readonly require: Requirement;
}

/** The subject of an audit: a snapshot whose manifest and export data could be read. */
export interface AuditSubject {
  readonly reader: SnapshotReader;
  readonly manifest: Manifest;
  readonly entries: ExportEntries;
  readonly hashKey: string;
  /** The hashes that `run.json` lists; `undefined` if it is missing or damaged. */
  readonly files: FileHashes | undefined;
}

export class Audit {
  readonly subject: AuditSubject;
  readonly trust: Trust;
  readonly findings: FindingList;
  readonly #notes: string[] = [];
  #notesOmitted = 0;

  constructor(subject: AuditSubject, trust: Trust, findings: FindingList) {
    this.subject = subject;
    this.trust = trust;
    this.findings = findings;
  }

  get notes(): readonly string[] {
    return this.#notesOmitted === 0 ? this.#notes : [...this.#notes, `${this.#notesOmitted} more notes`];
  }

  note(text: string): void {
    if (this.#notes.length < auditNotesMax) this.#notes.push(text);
    else this.#notesOmitted++;
  }

  /** Reads and parses a file of the evidence. A problem with it is a finding. */
  async read<T>(
    file: string,
    kind: FindingKind,
    parse: (received: unknown, source: string) => T,
  ): Promise<{ readonly value: T; readonly hash: HashHex } | undefined> {
    const { reader, manifest, hashKey } = this.subject;
    try {
      const { text, hash } = await readText(reader, file, manifest.snapshot.numPartitions, hashKey);
      return { value: parse(parseJson(text, file), file), hash };
    } catch (error) {
      this.findings.add(kind, file, messageOf(error));
      return undefined;
    }
  }

  /** Runs a check that hashes the content of a file. Content without canonical text is a finding. */
  hashing<T>(file: string, kind: FindingKind, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof CanonicalTextError)) throw error;
      this.findings.add(kind, file, `it has no canonical text: ${error.message}`);
      return undefined;
    }
  }

  signerOf(received: unknown): Signer {
    return listSignerOf(received, this.subject.hashKey);
  }
}

/** Reads a file as text, in a function of its own so that its bytes can be freed on return. */
async function readText(
  reader: SnapshotReader,
  file: string,
  numPartitions: number,
  hashKey: string,
): Promise<{ text: string; hash: HashHex }> {
  const bytes = await reader.readBytes(file, fileBytesMax(file, numPartitions));
  return { text: bytes.toString("utf8"), hash: hashText(bytes, hashKey) };
}
