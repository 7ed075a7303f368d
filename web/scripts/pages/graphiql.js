/** GraphiQL with the operations of the pages. */
import { operation } from "../graphql/documents.js";
import { Socket } from "../graphql/socket.js";
import { byId, fill, h } from "../kit/dom.js";

const EXAMPLES = /** @type {const} */ ([
  ["Events", { first: 5 }],
  ["SearchEvents", { input: { keyword: "jazz", pageSize: 5 } }],
  ["CreateGuestSession", { input: { email: "reader@example.com" } }],
  ["Reserve", { input: { eventId: "evt_…", selection: { bestAvailable: { quantity: 2 } }, idempotencyKey: "try-1" } }],
  ["Pay", { input: { orderId: "ord_…", paymentMethodId: "pm_card_visa" } }],
  ["SeatAvailability", { eventId: "evt_…" }],
]);

open();

async function open() {
  const place = byId("graphiql", HTMLElement);
  const { React, ReactDOM, GraphiQL } = /** @type {any} */ (window);
  if (!GraphiQL) return fill(place, h("p", { class: "centred" }, "GraphiQL is not installed here: run npm ci in web/."));
  const tabs = await Promise.all(
    EXAMPLES.map(async ([name, variables]) => ({
      query: await operation(name),
      variables: JSON.stringify(variables, null, 2),
      headers: JSON.stringify({ Authorization: "" }, null, 2),
    })),
  );
  const ide = React.createElement(GraphiQL, { fetcher, defaultTabs: tabs, shouldPersistHeaders: false });
  ReactDOM.createRoot(place).render(ide);
}

/**
 * @param {{ query: string, variables?: object, operationName?: string | null }} wanted
 * @param {{ headers?: Record<string, string> }} [options]
 */
function fetcher(wanted, options = {}) {
  const { Authorization: held, ...others } = options.headers ?? {};
  const authorization = held || null;
  if (isSubscription(wanted)) return subscription(wanted, authorization);
  return fetch("/graphql", {
    method: "POST",
    headers: {
      ...others, "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json",
      ...(authorization ? { Authorization: authorization } : {}),
    },
    body: JSON.stringify(wanted),
  }).then((answer) => answer.json());
}

/** @param {{ query: string, operationName?: string | null }} wanted */
function isSubscription({ query, operationName }) {
  const name = operationName ? `\\s+${operationName}\\b` : "";
  return new RegExp(`^\\s*subscription${name}`, "m").test(query);
}

/**
 * A subscription as the observable that GraphiQL expects.
 * @param {{ query: string, variables?: object, operationName?: string | null }} wanted
 * @param {string | null} authorization
 */
function subscription({ query, variables = {}, operationName }, authorization) {
  return {
    subscribe: (/** @type {{ next(value: any): void, error(fault: any): void, complete(): void }} */ observer) => {
      const connection = new Socket({
        authorization,
        opened: () =>
          connection.subscribe({ id: "1", payload: { query, variables, ...(operationName ? { operationName } : {}) } }, {
            next: (result) => observer.next(result),
            error: (errors) => observer.error(errors),
            complete: () => observer.complete(),
          }),
        closed: () => observer.complete(),
      });
      return { unsubscribe: () => connection.close() };
    },
  };
}
