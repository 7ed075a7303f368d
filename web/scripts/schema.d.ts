// The shapes that the operations of web/operations ask for, after the public contract.

export type Money = { amount: number; currency: string };
export type EventStatus = "DRAFT" | "ANNOUNCED" | "ON_SALE" | "SOLD_OUT" | "CANCELLED" | "ENDED";
export type TicketStatus = "HELD" | "ISSUED" | "REFUNDED" | "VOID";
export type RefundStatus = "PENDING" | "SUCCEEDED" | "FAILED";
export type SeatStatus = "AVAILABLE" | "HELD" | "BOOKED" | "BLOCKED";
export type OrderStatus = "RESERVED" | "PAYING" | "BOOKED" | "EXPIRED" | "CANCELLED" | "REFUNDED";
export type PaymentStatus =
  | "REQUIRES_ACTION" | "PROCESSING" | "AUTHORIZED" | "CAPTURED" | "FAILED" | "CANCELLED" | "REFUNDED";
export type SectionKind = "SEATED" | "GENERAL_ADMISSION";
export type Venue = {
  id: string; name: string; city: string; country: string | null; address?: string | null;
  lat?: number | null; lng?: number | null; timezone?: string;
};
export type Performer = { id: string; name: string; bio?: string | null; genres?: string[] };

export type EventCard = {
  id: string; name: string; status: EventStatus; category: string | null; startsAt: string; timezone: string;
  venue: Venue; performers: Performer[]; priceFrom: Money | null; priceTo: Money | null;
  availability: { total: number; available: number };
};
export type WaitingRoom = {
  enabled: boolean; phase: "CLOSED" | "PRE_QUEUE" | "OPEN"; waiting: number; admitPerMinute: number;
  preQueueSeconds: number;
};
export type EventDetail = EventCard & {
  description: string; endsAt: string | null; onSaleAt: string | null; offSaleAt: string | null;
  maxTicketsPerOrder: number;
  seatMap: { id: string; version: string; rowsUrl: string; seatCount: number };
  waitingRoom: WaitingRoom;
};
export type Facet = { field: string; buckets: { value: string; count: number }[] };
export type SearchResult = {
  events: EventCard[]; isOver: boolean; total: number; pageNum: number; pageSize: number; totalPages: number; facets: Facet[];
  tookMs: number; source: "INDEX" | "DATABASE";
};
export type Suggestion = {
  text: string; kind: "EVENT" | "PERFORMER" | "VENUE" | "CITY"; eventId: string | null;
};

export type PriceLevel = { id: string; name: string; color: string | null; price: Money; fee: Money };
// What SeatMap.rowsUrl holds; docs/clients.md describes it.
export type SeatRow = {
  row: string; numbers: string[] | { from: number; step: number; count: number }; x: number[]; y: number[];
  levels: [number, number][]; accessible?: number[]; restrictedView?: number[];
};
export type Section = {
  id: string; name: string; kind: SectionKind; capacity: number; priceLevel: number | null; rows: SeatRow[];
};
export type Area = {
  name: string; color: string | null; x: number; y: number; width: number; height: number;
  sectionId?: string | null;
};
export type RowsDocument = {
  id: string; version: string; width: number; height: number; seatCount: number; seatIdPrefix: string; scale: number;
  priceLevels: PriceLevel[]; sections: Section[]; areas?: Area[];
};
export type SectionAvailability = {
  sectionId: string; name?: string; available: number; held: number; booked: number; total: number;
};
export type SeatAvailabilityUpdate = {
  version: number; previousVersion: number | null; statuses: string | null;
  changes: { index: number; status: SeatStatus }[]; sections: SectionAvailability[];
};

export type Ticket = {
  id: string; status: TicketStatus; price: Money; section: { id: string; name: string; kind: SectionKind };
  seat: {
    id: string; index: number; row: string; number: string; accessible: boolean; restrictedView: boolean;
    priceLevelId: string;
  } | null;
};
export type Payment = { id: string; status: PaymentStatus; failureCode: string | null; amount: Money };
export type DisputedOrder = {
  id: string; reference: string;
  dispute: {
    gatewayId: string; status: "INQUIRY" | "OPEN" | "LOST"; amount: Money; reason: string; respondBy: string | null;
  } | null;
};
export type PaymentStep = { clientSecret: string; redirectUrl: string | null };
export type Order = {
  id: string; reference: string; status: OrderStatus; createdAt: string; expiresAt: string | null; updatedAt: string;
  refunded: Money; refunds: { id: string; status: RefundStatus }[];
  subtotal: Money; fees: Money; total: Money; payment: Payment | null; tickets: Ticket[];
  event: {
    id: string; name: string; startsAt: string; endsAt: string | null; timezone: string; venue: Venue;
  };
};

export type Refusal = { __typename: "RequestRefused"; code: string; message: string };
export type LimitExceeded = { __typename: "LimitExceeded"; code: string; message: string };
export type SlowDown = { __typename: "SlowDown"; code: string; message: string; retryAfterSeconds: number };
export type SeatsUnavailable = {
  __typename: "SeatsUnavailable"; code: string; message: string; seatIds: string[];
  alternatives: { id: string; index: number; row: string; number: string; priceLevelId: string }[];
};
export type ReserveResult =
  | { __typename: "ReserveSuccess"; order: Order } | SeatsUnavailable | LimitExceeded | SlowDown | Refusal;
export type PayResult =
  | { __typename: "PaySuccess"; order: Order; clientSecret: string | null } | SlowDown | Refusal;
export type ReleaseResult = { __typename: "ReleaseOrderSuccess"; order: Order } | Refusal;
export type Challenge = {
  algorithm: string; challenge: string; salt: string; maxNumber: number; signature: string;
};
export type GuestResult =
  | { __typename: "CreateGuestSessionSuccess"; token: string; expiresAt: string; user: { id: string } }
  | SlowDown | Refusal;
export type Selection =
  | { seatIds: string[] }
  | { bestAvailable: { quantity: number; priceLevelId?: string; sectionId?: string; accessible?: boolean } }
  | { generalAdmission: { sectionId: string; quantity: number } };

export type QueueEntry = {
  id: string; state: "WAITING" | "ADMITTED" | "EXPIRED" | "LEFT"; position: number | null;
  ahead: number | null; etaSeconds: number | null; admission: { token: string; expiresAt: string } | null;
};
export type JoinResult = { __typename: "JoinQueueSuccess"; entry: QueueEntry } | Refusal;

export type EventPage = {
  totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string | null }; edges: { node: EventCard }[];
};
export type OrganisedEvent = {
  id: string; name: string; status: EventStatus; startsAt: string; timezone: string; onSaleAt: string | null;
  venue: Venue; priceFrom: Money | null;
  availability: {
    total: number; available: number; held: number; booked: number; sections: SectionAvailability[];
  };
  seatMap: {
    id: string; version: string; rowsUrl: string; seatCount: number;
    priceLevels: { id: string; name: string; color: string | null; price: Money }[];
  };
  waitingRoom: WaitingRoom;
};
export type EventResult = { __typename: "EventSuccess"; event: OrganisedEvent } | Refusal;
