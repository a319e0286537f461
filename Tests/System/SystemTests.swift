import Testing

/// Everything that runs the real tracker, one test after another: they measure time and load the machine.
@Suite(.serialized) enum SystemTests {}
