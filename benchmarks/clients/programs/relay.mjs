/** Relay's runtime with artifacts of its compiler: a connection, a node read again, a refetch. */
import relay from "relay-runtime";
import { check, EVENT, must, TOKEN, URL_ } from "./common.mjs";

const { Environment, fetchQuery, Network, RecordSource, Store } = relay;
const artifact = async (name) => (await import(`${process.env.RELAY_ARTIFACTS}/${name}.graphql.js`)).default;
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(async ({ text }, variables) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` };
    const response = await fetch(URL_, { method: "POST", headers, body: JSON.stringify({ query: text, variables }) });
    return response.json();
  }),
});

await check("connection", async () => {
  const data = await fetchQuery(environment, await artifact("EventsQuery"), { first: 2 }).toPromise();
  must(data.events.edges.length > 0, JSON.stringify(data));
});
await check("node read again", async () => {
  const data = await fetchQuery(environment, await artifact("NodeQuery"), { id: EVENT }).toPromise();
  must(data.node.id === EVENT, JSON.stringify(data));
});
process.exit(0);
