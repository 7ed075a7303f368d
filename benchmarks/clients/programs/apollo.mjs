/** Apollo Client, HttpLink alone: subscriptions are multipart. */
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client/core/index.js";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries/index.js";
import { RetryLink } from "@apollo/client/link/retry/index.js";
import { createHash } from "node:crypto";
import { check, EVENT, must, QUERY, RESERVE, SEATS, STANDING, survivesRoll, TOKEN, URL_ } from "./common.mjs";

const headers = { authorization: `Bearer ${TOKEN}` };
const client = (...links) => new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.from([...links, new HttpLink({ uri: URL_, headers })]) });
const apollo = client();

await check("query", async () => {
  const { data } = await apollo.query({ query: gql(QUERY), variables: { id: EVENT } });
  must(data.event.id === EVENT, JSON.stringify(data));
});
await check("code of an error", async () => {
  const error = await apollo.query({ query: gql(QUERY), variables: { id: "nobody" } }).then(() => null, (failed) => failed);
  must(error?.errors?.[0]?.extensions?.code, String(error));
  return error.errors[0].extensions.code;
});
await check("mutation with @oneOf and a union", async () => {
  const { data } = await apollo.mutate({ mutation: gql(RESERVE), variables: { input: STANDING } });
  must(data.reserve.order.status === "RESERVED", JSON.stringify(data));
});
await check("persisted query by GET", async () => {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const persisted = client(new PersistedQueryLink({ sha256, useGETForHashedQueries: true }));
  for (const fetchPolicy of ["network-only", "network-only"]) {
    const { data } = await persisted.query({ query: gql(QUERY), variables: { id: EVENT }, fetchPolicy });
    must(data.event.id === EVENT, JSON.stringify(data));
  }
});
await check("subscription", () => new Promise((done, refuse) => {
  const stop = apollo.subscribe({ query: gql(SEATS), variables: { id: EVENT } }).subscribe({
    next: ({ data }) => { done(data.seatAvailability.version); stop.unsubscribe(); }, error: refuse,
  });
}));
await check("subscription after a restart (RetryLink)", () => {
  const retrying = client(new RetryLink({ attempts: { max: 20 }, delay: { max: 1000 } }));
  return survivesRoll((next, failed) => {
    const open = retrying.subscribe({ query: gql(SEATS), variables: { id: EVENT } }).subscribe({ next: ({ data }) => next(data), error: failed });
    return () => open.unsubscribe();
  });
});
process.exit(0);
