/** graphql-sse in both modes, with its default options. */
import { createClient } from "graphql-sse";
import { check, EVENT, must, QUERY, SEATS, survivesRoll, TOKEN, URL_ } from "./common.mjs";

for (const singleConnection of [false, true]) {
  const mode = singleConnection ? "single connection" : "distinct";
  const sse = createClient({ url: URL_, headers: { authorization: `Bearer ${TOKEN}` }, singleConnection, retryAttempts: 20 });
  await check(`query (${mode})`, async () => {
    for await (const { data } of sse.iterate({ query: QUERY, variables: { id: EVENT } })) must(data.event.id === EVENT, "another event");
  });
  await check(`subscription after a restart (${mode})`, () => survivesRoll((next, failed) => sse.subscribe(
    { query: SEATS, variables: { id: EVENT } }, { next: ({ data }) => next(data), error: failed, complete: () => {} },
  )));
  sse.dispose();
}
process.exit(0);
