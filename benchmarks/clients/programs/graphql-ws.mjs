/** graphql-ws with Node's own WebSocket, as in a browser. */
import { createClient } from "graphql-ws";
import { check, EVENT, must, QUERY, RESERVE, SEATS, STANDING, survivesRoll, TOKEN, URL_ } from "./common.mjs";
import WebSocket from "ws";

const client = (options = {}) => createClient({
  url: URL_.replace("http", "ws"), webSocketImpl: WebSocket, connectionParams: { Authorization: `Bearer ${TOKEN}` }, ...options,
});
const socket = client();
const once = async (query, variables) => {
  for await (const result of socket.iterate({ query, variables })) return result;
};

await check("query", async () => must((await once(QUERY, { id: EVENT })).data.event.id === EVENT, "another event"));
await check("code of an error", async () => {
  const { errors } = await once(QUERY, { id: "nobody" });
  must(errors?.[0]?.extensions?.code, "no code");
  return errors[0].extensions.code;
});
await check("mutation with @oneOf and a union", async () => {
  const { data } = await once(RESERVE, { input: STANDING });
  must(data.reserve.order.status === "RESERVED", JSON.stringify(data));
});
await check("subscription", async () => (await once(SEATS, { id: EVENT })).data.seatAvailability.version);
await check("subscription after a restart (shouldRetry)", () => {
  const again = client({ shouldRetry: () => true, retryAttempts: 20 });
  return survivesRoll((next, failed) => again.subscribe(
    { query: SEATS, variables: { id: EVENT } }, { next: ({ data }) => next(data), error: failed, complete: () => failed(new Error("complete")) },
  ));
});
process.exit(0);
