export { type CronSpec } from "./cron-field.ts";
export { Crontab, type CrontabFields, type CrontabMaker } from "./crontab.ts";
export { startEmbeddedBeat } from "./embedded.ts";
export { type OpenBeat, type OpenBeatOptions, openBeat } from "./open-beat.ts";
export { humanizeSeconds, type Schedule } from "./schedule.ts";
