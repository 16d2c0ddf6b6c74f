import { CONTROL_EXCHANGE } from "../protocol/control.ts";
import { channelNames, fanoutChannel } from "../redis/destination.ts";

/** Where all nodes of a broker listen for commands: `/0.celery.pidbox`. */
export function controlChannel(brokerUrl: string): string {
  return fanoutChannel({ exchange: CONTROL_EXCHANGE, routingKey: "" }, channelNames(brokerUrl));
}
