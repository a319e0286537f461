/// Runs the tracker until it is told to stop.
///
/// - Throws: `CommandFailure` when it cannot start.
func runTracker(_ settings: TrackSettings) throws {
    throw CommandFailure(.software, "this build has no tracker")
}
