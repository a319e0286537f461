import ArgumentParser

/// `changes verify`: is what the store believes true?
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares what is recorded with what is there.", subcommands: [Index.self])

    /// `changes verify index`.
    struct Index: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compares the index with the disk, after everything pending is processed.",
            discussion: """
                Prints each difference, and exits 1 if there is one. What cannot be compared (held, missing or \
                unreadable directories) is named on standard error.
                """)

        @OptionGroup var store: StoreOptions

        func run() throws {
            var output = Output()
            var count = 0
            try verifyIndex(in: store.directory()) { difference in
                count += 1
                try output.append(difference + "\n")
            } skip: { directory in
                Output.complain("changes: not compared: \(directory)")
            }
            try output.flush()
            guard count > 0 else { return }
            throw CommandFailure(.failure, "the index differs from the disk in \(count) place\(count == 1 ? "" : "s")")
        }
    }
}
