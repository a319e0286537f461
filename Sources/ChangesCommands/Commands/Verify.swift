import ArgumentParser
import Offsite

/// `changes verify`: is a copy equal to its source, and is what the store believes true?
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares a destination with the source, or the index with the disk.",
        subcommands: [Copy.self, Index.self], defaultSubcommand: Copy.self)

    /// `changes verify [copy] DESTINATION`.
    struct Copy: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compares a destination with the source (the default).",
            discussion: """
                Prints how each path differs: missing, extra, content, metadata, or links (names that are one file on \
                one side only); exits 1 if one does. Roots and what is in them are compared; what cannot be (a root that \
                is missing or held, a directory that cannot be read) is named on standard error, and makes it exit 1 as \
                well. Times that the destination cannot keep are listed as unrepresentable and are no difference. What \
                is pending is left out: it is to differ. Sizes and times are \
                compared, with --checksum contents too, which are read on both sides then.
                """)

        @Argument(help: ArgumentHelp("The destination.", valueName: "destination"))
        var name: String

        @OptionGroup var place: ConfigurationOptions

        @Flag(help: "Compare contents.")
        var checksum = false

        @Option(
            help: ArgumentHelp("Compare the contents of this part of all files, another each day.", valueName: "N%"))
        var sample: PercentArgument?

        @Flag(help: "Bring what differs up to date; deletions wait to be allowed as ever.")
        var repair = false

        func validate() throws {
            guard !(checksum && sample != nil) else {
                throw ValidationError("--checksum and --sample exclude each other")
            }
        }

        func run() throws {
            let configuration = try place.configuration()
            let destination = try configuration.destination(named: name)
            try CopyExamination(configuration: configuration, destination: destination)
                .run(checksum ? .all : sample.map { .sample(percent: $0.percent) } ?? .none, repairs: repair)
        }
    }

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

/// An argument that is a part of something.
struct PercentArgument: ExpressibleByArgument {
    let percent: Double

    init?(argument: String) {
        guard argument.hasSuffix("%"), let percent = Double(argument.dropLast()), percent > 0, percent <= 100 else {
            return nil
        }
        self.percent = percent
    }
}
