/** What every client is tried with: the operations, and a line of JSON for each check. */
export const URL_ = process.env.BOXOFFICE_URL;
export const TOKEN = process.env.BOXOFFICE_TOKEN;
export const EVENT = process.env.BOXOFFICE_EVENT;
export const QUERY = "query Name($id: ID!) { event(id: $id) { id name } }";
export const RESERVE = `mutation Hold($input: ReserveInput!) {
  reserve(input: $input) { __typename ... on ReserveSuccess { order { id status } } ... on UserError { code message } }
}`;
export const SEATS = "subscription Seats($id: ID!) { seatAvailability(eventId: $id) { version statuses changes { index status } } }";
export const STANDING = { eventId: EVENT, selection: { generalAdmission: { sectionId: process.env.BOXOFFICE_SECTION, quantity: 1 } } };

/** @param {string} name @param {() => Promise<unknown>} work which answers what is seen, or throws */
export async function check(name, work) {
  let timer;
  const late = new Promise((_, refuse) => { timer = setTimeout(() => refuse(new Error("no answer in 25 s")), 25_000); });
  try {
    const seen = await Promise.race([work(), late]);
    console.log(JSON.stringify({ check: name, ok: true, seen: String(seen ?? "") }));
  } catch (error) {
    console.log(JSON.stringify({ check: name, ok: false, seen: String(error?.message ?? error).slice(0, 300) }));
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} condition @param {string} what */
export function must(condition, what) {
  if (!condition) throw new Error(what);
}

/** Asks the harness to restart the API process under the open stream. */
export function roll() {
  console.log(JSON.stringify({ roll: true }));
}

/**
 * Subscribes, sees a snapshot, has the server restarted, and sees another.
 * @param {(next: (data: any) => void, failed: (error: any) => void) => () => void} subscribe answers how to stop
 */
export function survivesRoll(subscribe) {
  return new Promise((done, refuse) => {
    let seen = 0;
    const stop = subscribe((data) => {
      if (!data?.seatAvailability) return refuse(new Error(JSON.stringify(data)));
      seen += 1;
      if (seen === 1) return roll();
      stop();
      done("goes on after a restart");
    }, refuse);
  });
}
