/** Queries and mutations over HTTP. */
import { learnServerTime } from "../kit/clock.js";
import { operation } from "./documents.js";
import { authorization, signIn } from "./session.js";

/** A request without data: `code` is extensions.code, or OFFLINE without a response. */
export class RequestFailed extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Runs an operation of web/operations.
 * @template T
 * @param {string} name
 * @param {Record<string, unknown>} [variables]
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<T>} the response's data
 */
export async function request(name, variables = {}, options = {}) {
  const query = await operation(name).catch(() => {
    throw new RequestFailed("OFFLINE", "offline");
  });
  const response = await post({ query, variables, operationName: name }, options.signal);
  const answer = await response.json().catch(() => ({}));
  const fault = answer.errors?.[0];
  if (response.status === 401 || fault?.extensions?.code === "UNAUTHENTICATED") signIn(null);
  if (fault || !answer.data) {
    throw new RequestFailed(fault?.extensions?.code ?? `HTTP_${response.status}`, fault?.message ?? "");
  }
  return answer.data;
}

/**
 * Runs a mutation with an idempotency key: if the response is lost it retries, which returns the outcome of
 * the first attempt.
 * @template T
 * @param {string} name
 * @param {{ input: { idempotencyKey: string } & Record<string, unknown> }} variables
 * @returns {Promise<T>}
 */
export async function requestSurely(name, variables) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request(name, variables);
    } catch (error) {
      const unknown = error instanceof RequestFailed && /^(OFFLINE|UNAVAILABLE|HTTP_5)/.test(error.code);
      if (!unknown || attempt === 4) throw error;
      await new Promise((resume) => setTimeout(resume, 250 * 2 ** attempt * (0.5 + Math.random())));
    }
  }
}

/** @param {object} body @param {AbortSignal} [signal] */
async function post(body, signal) {
  const held = authorization();
  const sentAtMs = Date.now();
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json",
        ...(held ? { Authorization: held } : {}),
      },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
    learnServerTime(response, sentAtMs);
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestFailed("OFFLINE", "offline");
  }
}
