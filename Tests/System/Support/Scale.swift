import Glibc
import Testing

/// How large the system tests are. Plain `swift test` is what is run after each change, and stays within two minutes.
/// `CHANGES_TEST_THOROUGH=1` (set by `packaging/test`) adds more ways to a copy and real services, and
/// `CHANGES_TEST_FULL=1` (set by `packaging/test --full`) the sizes that the product is specified for.
enum Scale {
    static let isFull = environment("CHANGES_TEST_FULL") == "1"
    static let isThorough = isFull || environment("CHANGES_TEST_THOROUGH") == "1"

    static func pick<Value>(_ small: Value, full: Value) -> Value { isFull ? full : small }

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The seeds of a randomised test: those in `CHANGES_TEST_SEED` (comma-separated) to replay a failure, or
    /// 1 to the count for this scale.
    static func seeds(_ small: Int, full: Int) -> [UInt64] {
        if let given = environment("CHANGES_TEST_SEED") { return given.split(separator: ",").compactMap { UInt64($0) } }
        return (1...UInt64(pick(small, full: full))).map { $0 }
    }
}

/// What some tests need beyond an ordinary user's rights.
enum Privilege {
    static let isRoot = geteuid() == 0

    /// Whether mounting works here: root in a container may not be allowed to.
    static let canMount: Bool =
        isRoot && (try? run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).isSuccess) == true

    /// Whether a loop device can be had.
    static let canLoop: Bool = canMount && access("/dev/loop-control", W_OK) == 0

    /// Whether an unprivileged user namespace can be had.
    static let canMakeUserNamespace: Bool = (try? run(["unshare", "-Ur", "true"]).isSuccess) == true

    static let needsMount = "needs root and the right to mount"
}

/// What a fixture needs and this machine may lack.
enum Programs {
    /// - Returns: why tests with it are skipped; nil where all are there.
    static func obstacle(_ programs: String..., needsRoot: Bool = false) -> String? {
        if needsRoot && !Privilege.isRoot { return "needs root" }
        let missing = programs.filter { (try? run(["sh", "-c", "command -v \($0)"]).isSuccess) != true }
        return missing.isEmpty ? nil : "needs \(missing.joined(separator: ", "))"
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"): a whole run follows from a seed.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Trait where Self == ConditionTrait {
    /// Not in a plain `swift test`.
    static var thorough: Self { .enabled(if: Scale.isThorough, "takes long: set CHANGES_TEST_THOROUGH=1") }
}
