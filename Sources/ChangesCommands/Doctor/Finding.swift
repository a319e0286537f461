/// What one check came to.
struct Finding: Equatable, Sendable {
    enum State: String, Comparable, CaseIterable, Sendable {
        case ok
        /// Worth knowing; nothing has to be done.
        case note
        /// Something is lost or late until it is mended.
        case warning
        /// The tracker cannot do its work like this.
        case problem

        static func < (left: State, right: State) -> Bool { left.rank < right.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self)! }
    }

    /// A word or two for what was checked.
    var check: String
    var state: State
    /// One line, for a terminal: names in it are escaped.
    var text: String
    /// What to do, a command where there is one; nil only where all is well.
    var remedy: String?

    static func ok(_ check: String, _ text: String) -> Finding {
        Finding(check: check, state: .ok, text: text, remedy: nil)
    }

    static func note(_ check: String, _ text: String, remedy: String) -> Finding {
        Finding(check: check, state: .note, text: text, remedy: remedy)
    }

    static func warning(_ check: String, _ text: String, remedy: String) -> Finding {
        Finding(check: check, state: .warning, text: text, remedy: remedy)
    }

    static func problem(_ check: String, _ text: String, remedy: String) -> Finding {
        Finding(check: check, state: .problem, text: text, remedy: remedy)
    }
}

extension Int {
    /// `1 directory`, `3 directories`.
    func counted(_ one: String, _ many: String) -> String { "\(self) \(self == 1 ? one : many)" }
}
