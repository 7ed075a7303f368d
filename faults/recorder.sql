-- Records in the database of a run every change of an order's or a claim's state, and every requested capture
-- and refund. Installed by faults.system_state; the product does not depend on it.
CREATE TABLE IF NOT EXISTS faults_transitions (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  subject text NOT NULL,
  key text NOT NULL,
  event_id uuid,
  place int,
  old text,
  new text NOT NULL
);
CREATE OR REPLACE FUNCTION faults_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults_transitions (subject, key, old, new)
  VALUES ('order', NEW.id::text, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION faults_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults_transitions (subject, key, event_id, place, old, new)
  VALUES ('claim', NEW.id::text, NEW.event_id, NEW.place, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION faults_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO faults_transitions (subject, key, new) VALUES ('task', NEW.key, NEW.topic);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER faults_order_made AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION faults_order();
CREATE OR REPLACE TRIGGER faults_order_moved AFTER UPDATE OF state ON orders
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION faults_order();
CREATE OR REPLACE TRIGGER faults_claim_made AFTER INSERT ON claims FOR EACH ROW EXECUTE FUNCTION faults_claim();
CREATE OR REPLACE TRIGGER faults_claim_moved AFTER UPDATE OF state ON claims
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION faults_claim();
CREATE OR REPLACE TRIGGER faults_task_made AFTER INSERT ON outbox
  FOR EACH ROW WHEN (NEW.topic IN ('capture_payment', 'send_refund')) EXECUTE FUNCTION faults_task();
