-- Which types of events a read model was filled with: a release that handles others makes it anew when it starts.
-- NULL: nobody has said; the checkpoint is of a release before this one, or of something that is no read model.
ALTER TABLE checkpoints ADD COLUMN handled text[];
