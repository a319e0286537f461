import Testing

// Lanes: each runs one test after another, and beside the other lanes. Most of these tests wait for processes.

/// What the tracker sees, and how it serves.
@Suite(.serialized, .besideOthers) enum SystemTests {}

/// What the log has of it, whatever happens to the log.
@Suite(.serialized, .besideOthers) enum LogSystemTests {}

/// What people ask of it.
@Suite(.serialized, .besideOthers) enum CommandSystemTests {}

/// What programs are handed.
@Suite(.serialized, .besideOthers) enum ConsumeSystemTests {}

/// What a sync does and does not do.
@Suite(.serialized, .besideOthers) enum SyncSystemTests {}

/// What the other side of a sync can do, and does.
@Suite(.serialized, .besideOthers) enum ReceiverSystemTests {}

/// That a copy is equal, in every way to one.
@Suite(.serialized, .besideOthers) enum CopySystemTests {}

/// What measures time: no other lane runs meanwhile.
@Suite(.serialized, .alone) enum TimedSystemTests {}
