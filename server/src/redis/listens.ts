import { connect } from "node:net";

/** A listener on loopback takes a connection at once, also when its process is stopped. */
const WITHIN_MS = 500;

/** Whether any program listens where a Redis URL points; says nothing about whether it answers. */
export function listensAt(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: WITHIN_MS });
    const settle = (listens: boolean): void => {
      socket.destroy();
      resolve(listens);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}
