-- Where an agent's packets go first, as it says itself: what the first probes can be offered for.
ALTER TABLE agent ADD COLUMN gateway  TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN resolver TEXT NOT NULL DEFAULT '';
