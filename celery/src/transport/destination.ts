export {
  type Binding,
  bindingsOf,
  type ChannelNames,
  channelNames,
  declarations,
  deliveryArguments,
  type ExchangeTarget,
  type ExchangeType,
  fanoutChannel,
  listOf,
  type OutgoingMessage,
  ownBinding,
} from "../redis/destination.ts";
