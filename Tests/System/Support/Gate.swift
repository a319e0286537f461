import Testing

/// Lets tests through side by side, or one alone, in the order in which they come.
actor Gate {
    static let shared = Gate()

    private var passing = 0
    private var isAloneInside = false
    private var waiting: [(alone: Bool, go: CheckedContinuation<Void, Never>)] = []

    func enter(alone: Bool) async {
        if waiting.isEmpty && isOpen(alone: alone) { return admit(alone: alone) }
        await withCheckedContinuation { waiting.append((alone, $0)) }
    }

    func leave() {
        passing -= 1
        isAloneInside = false
        while let next = waiting.first, isOpen(alone: next.alone) {
            waiting.removeFirst()
            admit(alone: next.alone)
            next.go.resume()
        }
    }

    private func isOpen(alone: Bool) -> Bool { passing == 0 || !alone && !isAloneInside }

    private func admit(alone: Bool) {
        passing += 1
        isAloneInside = alone
    }
}

/// How tests go through the gate: each by itself, or a whole suite at once. Were those that are to be alone admitted one by
/// one, each would have all lanes wait for the longest of their tests.
struct GateTrait: SuiteTrait, TestTrait, TestScoping {
    let alone: Bool
    var isRecursive: Bool { !alone }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // Of a suite whose tests go by themselves.
        guard alone || testCase != nil else { return try await function() }
        await Gate.shared.enter(alone: alone)
        let outcome: Result<Void, any Error>
        do {
            try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await Gate.shared.leave()
        try outcome.get()
    }
}

extension Trait where Self == GateTrait {
    static var besideOthers: Self { Self(alone: false) }
    static var alone: Self { Self(alone: true) }
}
