/// What kind of reason weakens the promise: the label of a metric, which must not change with names and numbers.
enum DegradedKind: String, CaseIterable, Sendable {
    case notRecording = "not_recording"
    case stuck
    case waitingForDisk = "waiting_for_disk"
    case log
    case missing
    case held
    case polled
    case unreadable
    case foreign
    case metrics
    case configuration
    case other

    /// Tells the kind from the sentence that status and journal show.
    init(_ reason: String) {
        self =
            Self.beginnings.first { reason.hasPrefix($0.text) }?.kind
            ?? Self.parts.first { reason.contains($0.text) }?.kind ?? .other
    }

    private static let beginnings: [(text: String, kind: DegradedKind)] = [
        ("not recording", .notRecording), ("stuck", .stuck), ("waiting for disk", .waitingForDisk), ("log:", .log),
        ("metrics:", .metrics), ("configuration", .configuration), ("the configuration", .configuration),
    ]

    private static let parts: [(text: String, kind: DegradedKind)] = [
        (" is missing: mount", .missing), (" is held, ", .held), (" no watch and ", .polled),
        (" and is not tracked", .foreign),
        (" cannot be read", .unreadable),
    ]
}
