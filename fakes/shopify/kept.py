"""What of Shopify's Admin schema a CRM asks for, type by type: what `pinning.py` cuts out, and so what the fake answers.

`*` is every field whose type is kept too. Connections and edges of a kept type are kept by themselves.
"""

DISCOUNT = (
    "title status summary codes codesCount startsAt endsAt createdAt updatedAt usageLimit asyncUsageCount "
    "appliesOncePerCustomer combinesWith discountClasses totalSales context "
)

KEPT = {
    "QueryRoot": """abandonedCheckouts abandonedCheckoutsCount appInstallation bulkOperation bulkOperations codeDiscountNode
        codeDiscountNodeByCode codeDiscountNodes collection collections currentAppInstallation currentBulkOperation customer
        customers customersCount discountRedeemCodeBulkCreation inventoryItem inventoryItems inventoryLevel location locations
        node nodes order orders ordersCount product productVariant productVariants productVariantsCount products
        productsCount shop webPixel webhookSubscription webhookSubscriptions webhookSubscriptionsCount""",
    "Mutation": """appUninstall bulkOperationCancel bulkOperationRunQuery customerEmailMarketingConsentUpdate
        customerSmsMarketingConsentUpdate discountCodeBasicCreate discountCodeDeactivate discountRedeemCodeBulkAdd
        webPixelCreate webPixelDelete webPixelUpdate webhookSubscriptionCreate webhookSubscriptionDelete
        webhookSubscriptionUpdate""",
    # What every list and every amount is made of.
    "Node": "*",
    "DisplayableError": "*",
    "LegacyInteroperability": "*",
    "PageInfo": "*",
    "Count": "*",
    "MoneyBag": "*",
    "MoneyV2": "*",
    "Attribute": "*",
    "TaxLine": "channelLiable price priceSet rate ratePercentage source title",
    "Weight": "*",
    # The shop, and what the app may do there.
    "Shop": """id name email contactEmail myshopifyDomain primaryDomain url currencyCode enabledPresentmentCurrencies ianaTimezone
        timezoneAbbreviation timezoneOffset timezoneOffsetMinutes plan shopAddress billingAddress taxesIncluded taxShipping unitSystem
        weightUnit createdAt updatedAt orderNumberFormatPrefix orderNumberFormatSuffix shopOwnerName description
        marketingSmsConsentEnabledAtCheckout setupRequired""",
    "Domain": "host id sslEnabled url",
    "ShopPlan": "*",
    "ShopAddress": "*",
    "AppInstallation": "accessScopes app id launchUrl uninstallUrl",
    "AccessScope": "*",
    "App": "apiKey developerName embedded handle id title webhookApiVersion requestedAccessScopes availableAccessScopes",
    # People.
    "Customer": """addresses addressesV2 amountSpent canDelete createdAt dataSaleOptOut defaultAddress defaultEmailAddress
        defaultPhoneNumber displayName email emailMarketingConsent firstName id lastName lastOrder legacyResourceId
        lifetimeDuration locale mergeable multipassIdentifier note numberOfOrders orders phone productSubscriberStatus
        smsMarketingConsent state statistics tags taxExempt unsubscribeUrl updatedAt validEmailAddress verifiedEmail""",
    "CustomerEmailAddress": "*",
    "CustomerPhoneNumber": "*",
    "CustomerMarketingConsent": "*",
    "CustomerSmsMarketingConsent": "*",
    "CustomerWhatsAppMarketingConsent": "*",
    "CustomerEmailMarketingConsentState": "*",
    "CustomerSmsMarketingConsentState": "*",
    "CustomerMergeable": "errorFields isMergeable reason",
    "CustomerStatistics": "*",
    "MailingAddress": "*",
    # Orders, and what becomes of them.
    "Order": """app attribution billingAddress billingAddressMatchesShippingAddress cancelReason cancellation cancelledAt
        cartDiscountAmountSet cartToken channelInformation checkoutToken clientIp closed closedAt confirmationNumber confirmed createdAt
        currencyCode currentCartDiscountAmountSet currentShippingPriceSet currentSubtotalLineItemsQuantity currentSubtotalPriceSet
        currentTaxLines currentTotalDiscountsSet currentTotalDutiesSet currentTotalPriceSet currentTotalTaxSet currentTotalWeight
        customAttributes customer customerAcceptsMarketing customerJourneySummary customerLocale discountApplications discountCode
        discountCodes displayAddress displayFinancialStatus displayFulfillmentStatus dutiesIncluded edited email estimatedTaxes
        fulfillable fulfillments fulfillmentsCount fullyPaid id landingPageUrl legacyResourceId lineItems name netPaymentSet note number
        originalTotalDutiesSet originalTotalPriceSet paymentGatewayNames phone poNumber presentmentCurrencyCode processedAt
        referrerUrl refundDiscrepancySet refundable refunds registeredSourceUrl requiresShipping restockable retailLocation returnStatus
        shippingAddress shippingLine shippingLines sourceIdentifier sourceName statusPageUrl subtotalLineItemsQuantity
        subtotalPrice subtotalPriceSet tags taxExempt taxLines taxesIncluded test totalCapturableSet totalDiscounts totalDiscountsSet
        totalOutstandingSet totalPrice totalPriceSet totalReceivedSet totalRefunded totalRefundedSet totalRefundedShippingSet
        totalShippingPrice totalShippingPriceSet totalTax totalTaxSet totalTipReceivedSet totalWeight transactions transactionsCount
        unpaid updatedAt""",
    "OrderApp": "id name",
    "OrderAttribution": "displayName handle",
    "OrderCancellation": "*",
    "ChannelInformation": "app channelDefinition channelId displayName id",
    "ChannelDefinition": "channelName handle id isMarketplace subChannelName",
    "CustomerJourneySummary": "customerOrderIndex daysToConversion firstVisit lastVisit momentsCount ready",
    "CustomerMoment": "*",
    "CustomerVisit": """id landingPage landingPageHtml occurredAt referralCode referralInfoHtml referrerUrl source
        sourceDescription sourceType utmParameters""",
    "UTMParameters": "*",
    "LineItem": """currentQuantity customAttributes discountAllocations discountedTotalSet
        discountedUnitPriceAfterAllDiscountsSet discountedUnitPriceSet fulfillableQuantity fulfillmentStatus id image isGiftCard
        merchantEditable name nonFulfillableQuantity originalTotalSet originalUnitPrice originalUnitPriceSet product quantity
        refundableQuantity requiresShipping restockable sku taxLines taxable title totalDiscountSet unfulfilledDiscountedTotalSet
        unfulfilledOriginalTotalSet unfulfilledQuantity variant variantTitle vendor""",
    "DiscountAllocation": "*",
    "DiscountApplication": "*",
    "AutomaticDiscountApplication": "*",
    "DiscountCodeApplication": "*",
    "ManualDiscountApplication": "*",
    "ScriptDiscountApplication": "*",
    "PricingValue": "",
    "PricingPercentageValue": "*",
    "ShippingLine": """carrierIdentifier code currentDiscountedPriceSet custom deliveryCategory discountAllocations
        discountedPriceSet id isRemoved originalPriceSet phone source taxLines title""",
    "Refund": """createdAt id legacyResourceId note order orderAdjustments processedAt refundLineItems refundShippingLines
        totalRefunded totalRefundedSet transactions updatedAt""",
    "RefundLineItem": """id lineItem location price priceSet quantity restockType restocked subtotal subtotalSet totalTax
        totalTaxSet""",
    "RefundShippingLine": "*",
    "OrderAdjustment": "*",
    "OrderTransaction": """accountNumber amountSet amountV2 authorizationCode createdAt errorCode formattedGateway gateway id kind
        manualPaymentGateway manuallyCapturable multiCapturable order parentTransaction paymentId processedAt receiptJson
        settlementCurrency settlementCurrencyRate status test totalUnsettledSet""",
    "Fulfillment": """createdAt deliveredAt displayStatus estimatedDeliveryAt fulfillmentLineItems id inTransitAt
        legacyResourceId location name order requiresShipping status totalQuantity trackingInfo updatedAt""",
    "FulfillmentLineItem": "discountedTotalSet id lineItem originalTotalSet quantity",
    "FulfillmentTrackingInfo": "*",
    # The catalogue and its stock.
    "Product": """category collections compareAtPriceRange createdAt defaultCursor description descriptionHtml featuredImage
        featuredMedia handle hasOnlyDefaultVariant hasOutOfStockVariants id images isGiftCard legacyResourceId media
        mediaCount onlineStorePreviewUrl onlineStoreUrl options priceRangeV2 productType publishedAt seo status tags
        templateSuffix title totalInventory totalVariants tracksInventory updatedAt variants variantsCount vendor""",
    "TaxonomyCategory": "fullName id isArchived isLeaf isRoot level name",
    "ProductCompareAtPriceRange": "*",
    "ProductPriceRangeV2": "*",
    "ProductOption": "id name optionValues position values",
    "ProductOptionValue": "hasVariants id name",
    "SEO": "*",
    "Media": "alt id mediaContentType preview status",
    "MediaImage": "alt createdAt id image mediaContentType mimeType preview status updatedAt",
    "MediaPreviewImage": "*",
    "Image": "altText height id originalSrc src url width",
    "ProductVariant": """availableForSale barcode compareAtPrice createdAt defaultCursor displayName id image inventoryItem
        inventoryPolicy inventoryQuantity legacyResourceId media position price product requiresComponents selectedOptions
        sellableOnlineQuantity sku taxCode taxable title updatedAt""",
    "SelectedOption": "name optionValue value",
    "InventoryItem": """countryCodeOfOrigin createdAt harmonizedSystemCode id inventoryLevel inventoryLevels legacyResourceId
        locationsCount measurement provinceCodeOfOrigin requiresShipping sku tracked unitCost updatedAt variant variants""",
    "InventoryItemMeasurement": "id weight",
    "InventoryLevel": "canDeactivate createdAt id isActive item location quantities updatedAt",
    "InventoryQuantity": "*",
    "Location": """address addressVerified createdAt deactivatedAt fulfillsOnlineOrders id isActive isFulfillmentService
        isPrimary legacyResourceId name shipsInventory updatedAt""",
    "LocationAddress": "*",
    "Collection": """description descriptionHtml handle id image legacyResourceId products productsCount seo sortOrder
        templateSuffix title updatedAt""",
    # Discount codes.
    "DiscountCodeNode": "codeDiscount id",
    "DiscountCode": "",
    "DiscountCodeBasic": DISCOUNT + "customerGets minimumRequirement shortSummary recurringCycleLimit tags",
    "DiscountCodeBxgy": DISCOUNT + "usesPerOrderLimit tags",
    "DiscountCodeFreeShipping": DISCOUNT + "minimumRequirement shortSummary maximumShippingPrice tags",
    "DiscountCodeApp": DISCOUNT.replace("summary ", "") + "discountId tags",
    "DiscountRedeemCode": "asyncUsageCount code id",
    "DiscountCombinesWith": "*",
    "DiscountContext": "",
    "DiscountBuyerSelectionAll": "*",
    "DiscountCustomers": "*",
    "DiscountCustomerGets": "*",
    "DiscountCustomerGetsValue": "",
    "DiscountAmount": "*",
    "DiscountPercentage": "*",
    "DiscountOnQuantity": "*",
    "DiscountEffect": "",
    "DiscountQuantity": "*",
    "DiscountItems": "",
    "AllDiscountItems": "*",
    "DiscountProducts": "*",
    "DiscountCollections": "*",
    "DiscountMinimumRequirement": "",
    "DiscountMinimumQuantity": "*",
    "DiscountMinimumSubtotal": "*",
    "DiscountRedeemCodeBulkCreation": "*",
    "DiscountRedeemCodeBulkCreationCode": "*",
    "DiscountUserError": "*",
    "DiscountCodeBasicCreatePayload": "*",
    "DiscountCodeDeactivatePayload": "*",
    "DiscountRedeemCodeBulkAddPayload": "*",
    # Checkouts that were left.
    "AbandonedCheckout": "*",
    "AbandonedCheckoutLineItem": "*",
    # Bulk operations, webhooks, pixel.
    "BulkOperation": "*",
    "BulkOperationUserError": "*",
    "BulkOperationRunQueryPayload": "*",
    "BulkOperationCancelPayload": "*",
    "UserError": "*",
    "WebhookSubscription": """apiVersion callbackUrl createdAt endpoint filter format id includeFields legacyResourceId
        metafieldNamespaces name topic updatedAt uri""",
    "ApiVersion": "*",
    "WebhookSubscriptionEndpoint": "",
    "WebhookHttpEndpoint": "*",
    "WebhookSubscriptionCreatePayload": "*",
    "WebhookSubscriptionUpdatePayload": "*",
    "WebhookSubscriptionDeletePayload": "*",
    "WebPixel": "*",
    "ErrorsWebPixelUserError": "*",
    "WebPixelCreatePayload": "*",
    "WebPixelUpdatePayload": "*",
    "WebPixelDeletePayload": "*",
    "AppUninstallPayload": "*",
    "AppUninstallAppUninstallError": "*",
    "CustomerEmailMarketingConsentUpdatePayload": "*",
    "CustomerEmailMarketingConsentUpdateUserError": "*",
    "CustomerSmsMarketingConsentUpdatePayload": "*",
    "CustomerSmsMarketingConsentError": "*",
}
