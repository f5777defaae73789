-- Nothing asks which events were edited since when.

DROP INDEX event_edit;
ALTER TABLE event DROP COLUMN edit;
