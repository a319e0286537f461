/// The version of this program.
public let productVersion = "0.1.0"
