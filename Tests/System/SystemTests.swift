import Testing

/// Everything that runs the real tracker, one test after another: they load the machine.
@Suite(.serialized, .besideOthers) enum SystemTests {}

/// What people and programs ask of it: beside those, one after another too.
@Suite(.serialized, .besideOthers) enum CommandSystemTests {}

/// What measures time: nothing else of the system tests runs meanwhile.
@Suite(.serialized, .alone) enum TimedSystemTests {}
