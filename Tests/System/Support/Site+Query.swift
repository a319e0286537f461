import Testing

extension Site {
    /// Runs `changes query` on the site's store.
    func query(
        _ arguments: [String], environment: [String: String] = [:], directory: Path? = nil, atMost seconds: Double = 30
    ) throws -> Completed {
        try run(
            [Tracker.binary, "query", "--state", tracker.settings.state.string] + arguments, environment: environment,
            directory: directory, atMost: seconds)
    }

    /// The rows that `changes query --format json` prints, and how it ended.
    func rows(_ arguments: [String], exit status: Int32 = 0) throws -> [HistoryRow] {
        let completed = try query(arguments + ["--format", "json"])
        #expect(completed.status == .exited(status), "\(completed.errors)\n\(diagnosis)")
        return try History.parse(completed.output)
    }

    /// The number of the last change.
    func lastSequence() throws -> Int64 { try rows(["--history", "--limit", "1"]).last?.sequence ?? 0 }
}
