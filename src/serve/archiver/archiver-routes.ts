/**
 * The routes that restarting validators ask (archiver 3.7.7, `src/API.ts`). Refusals have status 200, and bodies that cannot
 * be read have the answers of the framework that the archiver uses.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { restorePageSendMs, restoreRequestBytesMax } from "../../limits/serve-archiver.ts";
import type { NetworkState } from "../upstream/network-state.ts";
import type { AccountPages, Page } from "./account-pages.ts";
import { answerAsFramework, parsedBody } from "./framework-answers.ts";
import { type Bandwidth, PageTurns } from "./page-turns.ts";
import {
  type Checked,
  checkAccountData,
  checkAccountList,
  checkBucket,
  checkReport,
  errors,
  type RequestContext,
} from "./request-checks.ts";
import type { ServedValidators } from "./served-validators.ts";
import { refusalText } from "./signed-text.ts";
import type { ValidatorLog } from "./validator-log.ts";

export interface ArchiverRoutesOptions {
  readonly pages: AccountPages;
  /** @throws HttpError 503 if the snapshot is no longer the one that was verified */
  readonly requireIntact: () => void;
  readonly hashKey: string;
  readonly network: NetworkState;
  readonly validators: ServedValidators;
  readonly bandwidth: Bandwidth;
  readonly log: ValidatorLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called with a failure of this server: the client only sees that there was one. */
  readonly warn: (message: string) => void;
}

export const restoreRoutes = {
  data: "/get_account_data_archiver",
  list: "/get_account_data_by_list_archiver",
  report: "/get_globalaccountreport_archiver",
} as const;

export function archiverRoutes(app: FastifyInstance, options: ArchiverRoutesOptions): Promise<void> {
  const routes = new ArchiverRoutes(options);
  answerAsFramework(app, options.warn);
  const route = { bodyLimit: restoreRequestBytesMax };
  app.post(restoreRoutes.data, route, (request, reply) => routes.accountData(request, reply));
  app.post(restoreRoutes.list, route, (request, reply) => routes.accountList(request, reply));
  app.post(restoreRoutes.report, route, (request, reply) => routes.report(request, reply));
  app.addHook("onClose", (_app, done) => {
    options.log.close();
    done();
  });
  return Promise.resolve();
}

const contentType = "application/json; charset=utf-8";

class ArchiverRoutes {
  readonly #options: ArchiverRoutesOptions;
  readonly #turns = new PageTurns();

  constructor(options: ArchiverRoutesOptions) {
    this.#options = options;
  }

  async accountData(received: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const body = parsedBody(received);
    const { pages, validators, log, now } = this.#options;
    const request = await this.#checked((context) => checkAccountData(body, context));
    if (typeof request === "string") return refuse(reply, request);
    validators.serve(request.owner, performance.now());
    const problem = checkBucket(request);
    if (problem !== undefined) return refuse(reply, problem);
    return await this.#send(
      reply,
      () => pages.page(request, now()),
      ({ accounts }) => {
        const { owner: validator, accountStart, accountEnd } = request;
        log.add({ validator, accountStart, accountEnd, accounts }, performance.now());
      },
    );
  }

  async accountList(received: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const body = parsedBody(received);
    const request = await this.#checked((context) => checkAccountList(body, context));
    if (typeof request === "string") return refuse(reply, request);
    return await this.#send(reply, () => this.#options.pages.list(request.accountIds));
  }

  async report(received: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { pages, hashKey } = this.#options;
    const problem = checkReport(parsedBody(received), hashKey);
    if (problem !== undefined) return refuse(reply, problem);
    return await this.#send(reply, async () => ({ text: await pages.report(), accounts: 0 }));
  }

  /** Checks a request, and again with the latest state of the network if that could make a difference. */
  async #checked<T>(check: (context: RequestContext) => Checked<T>): Promise<Checked<T>> {
    const { network } = this.#options;
    const first = check(this.#context());
    const isOfNetwork = first === errors.mode || first === errors.listMode || first === errors.node;
    if (!isOfNetwork) return first;
    await network.refresh();
    return check(this.#context());
  }

  #context(): RequestContext {
    const { hashKey, network, validators } = this.#options;
    return {
      hashKey,
      nowMs: this.#options.now(),
      isRestoring: () => network.isRestoring(),
      isNode: (publicKey) => network.isNode(publicKey),
      hasPlaceFor: (publicKey) => validators.hasPlaceFor(publicKey, performance.now()),
    };
  }

  /** Makes a response in its turn, which ends when the client has it: so few of them are in memory. */
  async #send(
    reply: FastifyReply,
    make: () => Promise<Page>,
    onSent: (page: Page) => void = () => undefined,
  ): Promise<FastifyReply> {
    this.#options.requireIntact();
    const endTurn = await this.#turns.take();
    if (endTurn === undefined) return refuse(reply, errors.busy);
    try {
      const page = await make();
      const text = Buffer.from(page.text);
      const waitMs = this.#options.bandwidth.waitFor(text.length, performance.now());
      if (waitMs === undefined) {
        endTurn();
        return refuse(reply, errors.busy);
      }
      if (waitMs > 0) await pause(waitMs);
      const { raw } = reply;
      if (raw.destroyed || raw.closed) {
        endTurn();
        return reply.hijack();
      }
      const giveUp = setTimeout(() => raw.destroy(), restorePageSendMs);
      raw.once("close", () => {
        clearTimeout(giveUp);
        endTurn();
      });
      onSent(page);
      return reply.type(contentType).send(text);
    } catch (error) {
      endTurn();
      throw error;
    }
  }
}

function refuse(reply: FastifyReply, error: string): FastifyReply {
  return reply.type(contentType).send(refusalText(error));
}
