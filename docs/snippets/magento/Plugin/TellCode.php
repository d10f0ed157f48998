<?php
namespace Operator\DistributorCode\Plugin;

use Magento\Sales\Api\Data\OrderExtensionFactory;
use Magento\Sales\Api\Data\OrderInterface;
use Magento\Sales\Api\Data\OrderSearchResultInterface;
use Magento\Sales\Api\OrderRepositoryInterface;

class TellCode
{
    private $extensions;

    public function __construct(OrderExtensionFactory $extensions)
    {
        $this->extensions = $extensions;
    }

    public function afterGet(OrderRepositoryInterface $repository, OrderInterface $order)
    {
        $attributes = $order->getExtensionAttributes() ?: $this->extensions->create();
        $attributes->setDistributorCode($order->getData('distributor_code'));
        $order->setExtensionAttributes($attributes);
        return $order;
    }

    public function afterGetList(OrderRepositoryInterface $repository, OrderSearchResultInterface $orders)
    {
        foreach ($orders->getItems() as $order) {
            $this->afterGet($repository, $order);
        }
        return $orders;
    }
}
