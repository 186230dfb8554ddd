//! A network between a browser and the engine's audio port, which can change: as when a cable is
//! pulled and the wireless takes over, or when an address translation forgets a flow.

import { createSocket } from "node:dgram";

export function network() {
  let engine = 0;
  const relays = [];
  const flows = new Map(); // the browser's own port -> { up, dead }
  const opened = new Promise((done) => {
    const relay = createSocket("udp4");
    relay.on("message", (bytes, { port }) => {
      const flow = flows.get(port) ?? open(port, relay);
      if (!flow.dead) flow.up.send(bytes, engine, "127.0.0.1");
    });
    relay.bind(0, "127.0.0.1", () => done(relay));
    relays.push(relay);
  });
  function open(port, relay, flow = { up: null, dead: false }) {
    const up = createSocket("udp4").on("message", (bytes) => !flow.dead && flow.up === up && relay.send(bytes, port, "127.0.0.1"));
    up.on("error", () => undefined);
    flow.up = up;
    flows.set(port, flow);
    relays.push(up);
    return flow;
  }
  return {
    /** Stands between the page and the engine: the engine's address is told as ours. */
    line: async (page) => {
      const relay = await opened;
      await page.routeWebSocket(/\/live$/, (socket) => {
        const server = socket.connectToServer();
        socket.onMessage((message) => server.send(message));
        server.onMessage((message) => {
          socket.send(String(message).replaceAll(/127\.0\.0\.1 (\d+) typ host/g, (_, port) => {
            engine = Number(port);
            return `127.0.0.1 ${relay.address().port} typ host`;
          }));
        });
      });
    },
    /** The way every connection took is gone; a fresh one finds another. */
    pull() {
      for (const flow of flows.values()) flow.dead = true;
    },
    /** Every connection comes from another address from here on, and does not know. */
    renumber() {
      for (const [port, flow] of flows) if (!flow.dead) open(port, relays[0], flow);
    },
    close: () => relays.forEach((socket) => socket.close()),
  };
}
