export { type BinFolderOptions, restoreBinFolder, writeBinFolder } from "./bin-folder.ts";
export type { BinarySearch, RedisBinary } from "./binary.ts";
export { type Broker, type BrokerEvents, openBroker } from "./broker.ts";
export { type ChainOptions, chooseRedis } from "./chain.ts";
export { RedisUnusable } from "./errors.ts";
export { listensAt } from "./listens.ts";
export { type OwnRedis, prepareOwnRedis } from "./own.ts";
export type { Traces } from "./remove-traces.ts";
export type { RedisSource } from "./source.ts";
