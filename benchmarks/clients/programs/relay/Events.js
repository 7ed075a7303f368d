import { graphql } from "relay-runtime";

graphql`query EventsQuery($first: Int) { events(first: $first) { edges { node { id name } } pageInfo { endCursor hasNextPage } } }`;
