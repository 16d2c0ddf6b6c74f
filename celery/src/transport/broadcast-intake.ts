import { openSubscriber, type RedisSubscriber } from "../redis/subscriber.ts";
import type { Log } from "../runtime/log.ts";
import type { BrokerLink } from "./broker-link.ts";
import { type Binding, type ChannelNames, fanoutChannel } from "./destination.ts";

export interface BroadcastIntakeDeps {
  readonly url: string;
  readonly nodeName: string;
  readonly link: BrokerLink;
  readonly channels: ChannelNames;
  readonly log: Log;
  /** Default 3600: what a worker that has gone left in its list is not run by a successor of the same name after this. */
  readonly keptSeconds?: number;
}

const DEFAULT_KEPT_SECONDS = 3600;
/** So often per life of a list it is prolonged, for as long as the node lives: its worker may be busy for longer than that. */
const RENEWALS = 4;

/**
 * Listens to fanout exchanges and puts what it hears into a list that only this node consumes. From there on a broadcast is a message
 * like any other: claimed, acknowledged, parked, given back. What is published while nobody listens, or while the connection is being
 * made anew, is missed: that is what pub/sub promises, and what Celery over Redis does.
 *
 * @see kombu 5.7.0 transport/redis.py, `Channel._subscribe` and `_receive_one`
 */
export class BroadcastIntake {
  readonly #deps: BroadcastIntakeDeps;
  readonly #lists = new Map<string, string>();
  readonly #keptSeconds: number;
  #subscriber: RedisSubscriber | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(deps: BroadcastIntakeDeps) {
    this.#deps = deps;
    this.#keptSeconds = deps.keptSeconds ?? DEFAULT_KEPT_SECONDS;
  }

  /** The list of this node that the queue's messages come into. Named after the node, so that a restart finds what was left. */
  listOf({ queue }: Pick<Binding, "queue">): string {
    return `bcast.${queue}.${this.#deps.nodeName}`;
  }

  listen(binding: Binding): void {
    const pattern = this.#patternOf(binding);
    this.#lists.set(pattern, this.listOf(binding));
    this.#subscriber ??= this.#open();
    this.#renewal ??= setInterval(() => void this.#renew(), (this.#keptSeconds / RENEWALS) * 1000).unref();
    this.#subscriber.subscribePattern(pattern).catch(() => undefined); // it goes on trying by itself
  }

  stopListening(binding: Binding): void {
    const pattern = this.#patternOf(binding);
    if (this.#lists.delete(pattern)) this.#subscriber?.unsubscribePattern(pattern);
  }

  async close(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#subscriber?.[Symbol.asyncDispose]();
  }

  /** In the key of a binding, kombu takes `#` for `*`. */
  #patternOf({ exchange, routingKey }: Binding): string {
    return fanoutChannel({ exchange, routingKey: routingKey.replaceAll("#", "*") }, this.#deps.channels);
  }

  #open(): RedisSubscriber {
    const subscriber = openSubscriber(this.#deps.url, { name: "celery-broadcast" });
    subscriber.events.on("message", (_channel, text, pattern) => {
      const list = pattern === undefined ? undefined : this.#lists.get(pattern);
      if (list !== undefined) void this.#keep(list, text);
    });
    return subscriber;
  }

  async #renew(): Promise<void> {
    const commands = [...this.#lists.values()].map((list) => ["EXPIRE", list, this.#keptSeconds] as const);
    if (commands.length === 0) return;
    try {
      await this.#deps.link.run((redis) => redis.pipeline(commands));
    } catch (error) {
      this.#deps.log.warn({ err: error }, "could not prolong the lists of broadcasts");
    }
  }

  /** Not under a number that Redis remembers: when the answer is lost, the broadcast is put in again, and heard twice. */
  async #keep(list: string, text: string): Promise<void> {
    try {
      await this.#deps.link.run((redis) =>
        redis.pipeline([
          ["LPUSH", list, text],
          ["EXPIRE", list, this.#keptSeconds],
        ]),
      );
    } catch (error) {
      this.#deps.log.error({ err: error, list }, "a broadcast was heard but could not be kept");
    }
  }
}
