/** urql's core with its default exchanges; subscriptions by its own event streams (fetchSubscriptions). */
import { Client, fetchExchange, gql } from "@urql/core";
import { check, EVENT, must, QUERY, RESERVE, SEATS, STANDING, TOKEN, URL_ } from "./common.mjs";

const urql = new Client({
  url: URL_, exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false,
  fetchOptions: { headers: { authorization: `Bearer ${TOKEN}` } },
});

await check("query", async () => {
  const { data, error } = await urql.query(gql(QUERY), { id: EVENT }).toPromise();
  must(data?.event.id === EVENT, String(error));
});
await check("query by GET", async () => {
  const { data, error } = await urql.query(gql(QUERY), { id: EVENT }, { preferGetMethod: "force" }).toPromise();
  must(data?.event.id === EVENT, String(error));
});
await check("code of an error", async () => {
  const { error } = await urql.query(gql(QUERY), { id: "nobody" }).toPromise();
  must(error?.graphQLErrors[0]?.extensions.code, String(error));
  return error.graphQLErrors[0].extensions.code;
});
await check("mutation with @oneOf and a union", async () => {
  const { data, error } = await urql.mutation(gql(RESERVE), { input: STANDING }).toPromise();
  must(data?.reserve.order?.status === "RESERVED", String(error ?? JSON.stringify(data)));
});
await check("subscription", () => new Promise((done, refuse) => {
  const open = urql.subscription(gql(SEATS), { id: EVENT }).subscribe(({ data, error }) => {
    if (error) return refuse(error);
    done(data.seatAvailability.version);
    setTimeout(() => open.unsubscribe());
  });
}));
process.exit(0);
