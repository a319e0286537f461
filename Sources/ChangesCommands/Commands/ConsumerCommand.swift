import ArgumentParser
import ChangeStore
import LinuxKernel

/// `changes consumer`: the places of the consumers.
struct ConsumerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumer", abstract: "Shows and changes the places that consumers have in the history.",
        subcommands: [List.self, Show.self, Reset.self, Remove.self])

    /// `changes consumer list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists all consumers.")

        @Flag(help: "One JSON object a line.")
        var json = false

        @OptionGroup var store: StoreOptions

        func run() throws {
            let directory = try store.directory()
            let lags = try ConsumerLag.all(in: try openStore(in: directory), stateDirectory: directory)
            try write(lags, json: json)
        }
    }

    /// `changes consumer show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one consumer.")

        @Argument(help: ArgumentHelp("The consumer.", valueName: "name"))
        var name: String

        @Flag(help: "One JSON object.")
        var json = false

        @OptionGroup var store: StoreOptions

        func run() throws {
            let directory = try store.directory()
            let record = try consumerRecord(name, in: directory)
            try write([try ConsumerLag(record, in: try openStore(in: directory))], json: json)
        }
    }

    /// `changes consumer reset`.
    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves a consumer's place.",
            discussion: """
                Without --to, everything that exists is handed out next. --to takes now, seq:N or a time as \
                `changes query --since` does: what changed from then on is handed out next, and what changed before \
                is not, handed out or not.
                """)

        @Argument(help: ArgumentHelp("The consumer.", valueName: "name"))
        var name: String

        @Option(help: ArgumentHelp("Where it goes on.", valueName: "when"))
        var to: String?

        @OptionGroup var store: StoreOptions

        func validate() throws { _ = try boundary() }

        private func boundary() throws -> Boundary? {
            guard let to, to != "now" else { return nil }
            if let boundary = BoundaryText.parse(to, now: .now, zone: .local) { return boundary }
            let given = TerminalText.of(ArgumentBytes.bytes(of: to))
            throw ValidationError("--to \(given): expected now, or \(BoundaryText.expectation)")
        }

        func run() throws {
            let directory = try store.directory()
            let reader = try openStore(in: directory)
            _ = try consumerRecord(name, in: directory)
            let lock = try lockConsumer(name, in: directory)
            let consumer = try openConsumer(name, in: directory)
            if to == nil {
                try consumer.requestFull()
                try Output.write("\(name): everything that exists is handed out next\n")
            } else {
                let sequence = try place(in: reader)
                try consumer.advance(to: sequence, store: reader.uuid)
                try Output.write("\(name): goes on after seq:\(sequence)\n")
            }
            withExtendedLifetime(lock) {}
        }

        private func place(in reader: StoreReader) throws -> Int64 {
            let last = try reader.lastSequence
            let wanted: Int64 =
                switch try boundary() {
                case nil: last
                case .sequence(let sequence)?: sequence
                case .moment(let moment)?: try reader.firstSequence(notBefore: moment) - 1
                }
            guard wanted <= last else {
                throw CommandFailure(.failure, "seq:\(wanted) is ahead of this store, whose last change is seq:\(last)")
            }
            let kept = try reader.firstKept
            guard wanted >= kept else {
                throw CommandFailure(
                    .failure, "history is kept from seq:\(kept + 1) on: without --to everything is handed out")
            }
            return wanted
        }
    }

    /// `changes consumer remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forgets a consumer; history is no longer kept for it.")

        @Argument(help: ArgumentHelp("The consumer.", valueName: "name"))
        var name: String

        @OptionGroup var store: StoreOptions

        func run() throws {
            let directory = try store.directory()
            do {
                _ = try consumerRecord(name, in: directory)
            } catch let failure as CommandFailure where failure.status == .inputOutput {
                // One that cannot be read can be removed.
            }
            let lock = try lockConsumer(name, in: directory)
            do throws(StoreError) {
                try ConsumerRecord.remove(name: name, stateDirectory: directory)
                try? FileSystemLook.remove(WorkerRecord.path(name, in: directory))
            } catch {
                throw CommandFailure(.inputOutput, "\(error)")
            }
            withExtendedLifetime(lock) {}
            try Output.write("\(name): removed\n")
        }
    }

    private static func write(_ lags: [ConsumerLag], json: Bool) throws {
        var output = Output()
        for lag in lags {
            try output.append { bytes in
                if json {
                    StatusJSON.append(lag, now: .now, to: &bytes)
                } else {
                    bytes += "\(lag.name): \(StatusText.standing(of: lag, now: .now))".utf8
                    if let failure = lag.lastFailure { bytes += "; its last run failed: \(failure.reason)".utf8 }
                }
                bytes.append(UInt8(ascii: "\n"))
            }
        }
        try output.flush()
    }
}
