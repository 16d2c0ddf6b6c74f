// Preloaded (`node --import`) into a worker of the tests: its clock is wrong by CLOCK_SHIFT_MS, and with each SIGUSR2 by as much more.
const step = Number(process.env.CLOCK_SHIFT_MS ?? 0);
let shift = process.env.CLOCK_SHIFT_FROM === "signal" ? 0 : step;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + shift] : args));
  }

  static now() {
    return RealDate.now() + shift;
  }
};
process.on("SIGUSR2", () => {
  shift += step;
});
