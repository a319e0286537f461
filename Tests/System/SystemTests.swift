import Testing

/// Everything that runs the real tracker, one test after another: they load the machine.
@Suite(.serialized, .besideOthers) enum SystemTests {}

/// What people and programs ask of it: beside those, one after another too.
@Suite(.serialized, .besideOthers) enum CommandSystemTests {}

/// What a sync does and does not do: mostly waits for other programs.
@Suite(.serialized, .besideOthers) enum SyncSystemTests {}

/// That a copy is equal, in every way to one.
@Suite(.serialized, .besideOthers) enum CopySystemTests {}

/// What measures time: nothing else of the system tests runs meanwhile.
@Suite(.serialized, .alone) enum TimedSystemTests {}
