import ChangeStore
import LinuxKernel
import Offsite

/// Turns a destination's worker off and on, while it runs or not.
struct SyncSwitch {
    private let name: String
    private let consumer: Consumer

    /// The note that says that nothing is to be copied.
    static let pauseNote = "paused"

    /// Whether nothing is to be copied, as far as that can be read.
    static func isPaused(_ consumer: Consumer) -> Bool {
        (try? consumer.note(pauseNote)).flatMap { $0 } != nil
    }

    /// The note with the moment at which somebody last wanted everything tried at once.
    private static let resumedNote = "resumed"

    /// Another value means that somebody wants everything tried at once.
    static func lastResume(_ consumer: Consumer) -> [UInt8]? { (try? consumer.note(resumedNote)).flatMap { $0 } }

    init(_ destination: DestinationSettings, in stateDirectory: [UInt8]) throws {
        name = destination.name
        consumer = try openConsumer(destination.name, in: stateDirectory)
    }

    func pause() throws {
        try writing { try consumer.setNote(Self.pauseNote, [1]) }
        try Output.write("\(name): paused; changes are kept until `changes sync resume \(name)`\n")
    }

    func resume() throws {
        try writing {
            try consumer.setNote(Self.pauseNote, nil)
            try consumer.setNote(Self.resumedNote, Array("\(Timestamp.now.nanoseconds)".utf8))
            try consumer.makeDue([.quarantined, .waiting])
        }
        try Output.write("\(name): resumed\n")
    }

    func reset() throws {
        try writing {
            try consumer.requestFull()
            try consumer.makeDue([.quarantined, .waiting])
        }
        try Output.write("\(name): the next run does a full scan\n")
    }

    private func writing(_ body: () throws -> Void) throws {
        do { try body() } catch let error as StoreError {
            throw CommandFailure(.inputOutput, "the destination's file cannot be written: \(error)")
        }
    }
}
