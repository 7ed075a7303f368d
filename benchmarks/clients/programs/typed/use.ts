import { graphql } from "./gql";
import type { HoldMutationVariables } from "./gql/graphql";

export const hold = graphql(`
  mutation Hold($input: ReserveInput!) {
    reserve(input: $input) {
      __typename
      ... on ReserveSuccess { order { id status total { amount currency } } }
      ... on SeatsUnavailable { alternatives { id } }
      ... on UserError { code message }
    }
  }
`);

export const one: HoldMutationVariables = { input: { eventId: "evt_1", selection: { seatIds: ["seat_1"] } } };
export const both: HoldMutationVariables = {
  // @ts-expect-error one member of a @oneOf input, not two
  input: { eventId: "evt_1", selection: { seatIds: ["seat_1"], bestAvailable: { quantity: 2 } } },
};
